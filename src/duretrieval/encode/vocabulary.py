"""Reads a text as words of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from duretrieval.encode.bags import Bag, bag, damped
from duretrieval.errors import ConfigError
from duretrieval.language.unknown import Unknown
from duretrieval.language.words import Words
from duretrieval.types import Array


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A text as the words it holds of a list, each weighted: w_i = tf(how often) * weights[i].

    known: the words; id i is known[i].  weights: (len(known),); None is 1 for each.  damp: tf is 1 + ln(count), not the
    count.  spread: a word that is not known is read as known ones like it (`language.unknown`), and not skipped.
    """

    kind: ClassVar[str] = "vocabulary"

    words: Words
    known: Sequence[str]
    weights: Array | None = None
    damp: bool = False
    spread: bool = True

    def __post_init__(self) -> None:
        if self.weights is not None and (self.weights.shape != (len(self.known),) or not np.all(self.weights > 0)):
            raise ConfigError(f"weights must be a number above 0 for each of the {len(self.known)} words")

    @property
    def size(self) -> int:
        """The words, and nothing."""
        return len(self.known) + 1

    def __call__(self, text: str, /) -> Bag:
        """What is in a text."""
        amounts: dict[int, float] = {}
        for word, count in Counter(self.words(text)).items():
            times = damped(count) if self.damp else float(count)
            for id, share in self._ids(word).items():
                weight = 1.0 if self.weights is None else float(self.weights[id])
                amounts[id] = amounts.get(id, 0.0) + times * share * weight
        return bag(amounts, nothing=len(self.known))

    def _ids(self, word: str) -> Mapping[int, float]:
        id = self._index.get(word)
        if id is not None:
            return {id: 1.0}
        return self._unknown(word) if self.spread else {}

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: id for id, word in enumerate(self.known)}

    @cached_property
    def _unknown(self) -> Unknown:
        return Unknown(self._index)

    def settings(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return {"words": self.words.settings(), "known": list(self.known), "damp": self.damp, "spread": self.spread}

    def arrays(self) -> dict[str, Array]:
        """Its weights, where it has some."""
        return {} if self.weights is None else {"weights": self.weights}

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array], /) -> Vocabulary:
        """What `settings` and `arrays` came from."""
        return cls(**{**settings, "words": Words.of(settings["words"])}, weights=arrays.get("weights"))


def counted_words(words: Words, texts: Iterable[str], *, min_count: int = 1, max_words: int | None = None) -> list[str]:
    """The words that come at least `min_count` times, most frequent first, no more than `max_words`.

    Raises:
        ConfigError: there are none.
    """
    counts = Counter(word for text in texts for word in words(text))
    known = [word for word, count in counts.most_common(max_words) if count >= min_count]
    if not known:
        raise ConfigError(
            f"no word comes {min_count} times among the {len(counts)} words of the texts; give more texts, or a "
            "smaller min_count"
        )
    return known
