"""Texts by the words they share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from duretrieval.encode.hashing import HashedWords
from duretrieval.encode.text_bags import TextBags
from duretrieval.encode.vocabulary import Vocabulary, counted_words
from duretrieval.errors import ConfigError
from duretrieval.language.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class BagOfWords(TextBags):
    """w_i = (1 + ln tf_i) idf_i over the words of a text.

    Manning, Raghavan & Schütze 2008, "Introduction to information retrieval", section 6.4 (the weighting ltc).
    """

    use: ClassVar[str] = "bag-of-words"
    readers: ClassVar = (Vocabulary, HashedWords)

    @classmethod
    def fit(
        cls,
        texts: Iterable[str] = (),
        *,
        words: Words | None = None,
        min_count: int = 1,
        max_words: int | None = None,
        buckets: int | None = None,
        dim: int | None = None,
        seed: int = 0,
    ) -> BagOfWords:
        """Learn the words of some texts and how rare each is.

        buckets: hash words into so many instead of learning a list; `texts` may then be none (every word counts the
        same).  dim: None is a row with a number for every word; else rows of that length, along the latent axes of the
        texts (`encode.latent`), or random ones where there are no texts.

        Raises:
            ConfigError: no text and no buckets; no word that comes often enough; or rows of that length cannot be.
        """
        texts, words = list(texts), words or Words()
        if not texts and buckets is None:
            raise ConfigError("there are no texts to learn words from; give some, or give buckets to hash words into")
        if buckets is None:
            known = counted_words(words, texts, min_count=min_count, max_words=max_words)
            words = words.for_vocabulary(known)
            reader: Vocabulary | HashedWords = Vocabulary(words, known, damp=True, spread=False)
        else:
            reader = HashedWords(words, buckets)
        return cls.fitted(reader, texts, dim, seed)
