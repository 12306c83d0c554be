"""Texts by the pieces of words they share: forgives slips and endings, and needs no cutting of Chinese into words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from duretrieval.encode.hashing import HashedNgrams
from duretrieval.encode.text_bags import TextBags


@dataclass(frozen=True, slots=True, eq=False)
class CharNgrams(TextBags):
    """w_i = (1 + ln tf_i) idf_i over hashed character n-grams (`encode.hashing.HashedNgrams`)."""

    use: ClassVar[str] = "char-ngrams"
    readers: ClassVar = (HashedNgrams,)

    @classmethod
    def fit(
        cls,
        texts: Iterable[str] = (),
        *,
        buckets: int = 8192,
        shortest: int = 3,
        longest: int = 5,
        longest_chinese: int = 2,
        lower: bool = True,
        dim: int | None = 256,
        seed: int = 0,
    ) -> CharNgrams:
        """Learn how rare each bucket is in some texts, and their latent axes; without texts, all count the same.

        dim: length of a row, along the latent axes of the texts, or random ones where there are none (`encode.latent`);
        None is a number for every bucket.

        Raises:
            ConfigError: a setting cannot be, or there are fewer texts than `dim`.
        """
        return cls.fitted(HashedNgrams(buckets, shortest, longest, longest_chinese, lower), list(texts), dim, seed)
