"""Reads a text as what is in it, by hash: no list to learn or keep, and nothing is ever unknown.

id = crc32(name) mod buckets.  Two things in one bucket are read as one. Unlike Weinberger et al. 2009 ("Feature hashing
for large scale multitask learning", definition 1) nothing is given a sign, so that no text cancels to a row of zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

from duretrieval.encode.bags import Bag, bag, damped
from duretrieval.errors import ConfigError
from duretrieval.language.glossary import has_han
from duretrieval.language.words import Words, pieces
from duretrieval.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class HashedWords:
    """A text as its words.  weights: (buckets,); None is 1 for each."""

    kind: ClassVar[str] = "hashed-words"

    words: Words
    buckets: int
    weights: Array | None = None

    def __post_init__(self) -> None:
        _check(self.buckets, self.weights)

    @property
    def size(self) -> int:
        """The buckets, and nothing."""
        return self.buckets + 1

    def __call__(self, text: str, /) -> Bag:
        """What is in a text."""
        return _bag(self.words(text), self.buckets, self.weights)

    def settings(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        return {"words": self.words.settings(), "buckets": self.buckets}

    def arrays(self) -> dict[str, Array]:
        """Its weights, where it has some."""
        return {} if self.weights is None else {"weights": self.weights}

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array], /) -> HashedWords:
        """What `settings` and `arrays` came from."""
        return cls(**{**settings, "words": Words.of(settings["words"])}, weights=arrays.get("weights"))


@dataclass(frozen=True, slots=True, eq=False)
class HashedNgrams:
    """A text as its words and their parts: all runs of `shortest` to `longest` characters of <word>.

    As in fastText (Bojanowski et al. 2017, "Enriching word vectors with subword information", section 3.2), < and >
    mark the ends, and the word itself is one more. Unlike there, Chinese is not cut into words: a run of it gives its
    pieces of 1 to `longest_chinese` characters, since one character is often a word.  lower: Cats is cats.
    """

    kind: ClassVar[str] = "hashed-ngrams"

    buckets: int
    shortest: int = 3
    longest: int = 5
    longest_chinese: int = 2
    lower: bool = True
    weights: Array | None = None

    def __post_init__(self) -> None:
        _check(self.buckets, self.weights)
        if not 1 <= self.shortest <= self.longest or self.longest_chinese < 1:
            raise ConfigError(
                f"n-grams of {self.shortest} to {self.longest} characters, and of 1 to {self.longest_chinese} Chinese "
                "ones, cannot be; give 1 <= shortest <= longest and longest_chinese >= 1"
            )

    @property
    def size(self) -> int:
        """The buckets, and nothing."""
        return self.buckets + 1

    def __call__(self, text: str, /) -> Bag:
        """What is in a text."""
        return _bag(self.ngrams(text), self.buckets, self.weights)

    def ngrams(self, text: str) -> Iterator[str]:
        """With shortest = longest = 3, "cats" is <ca cat ats ts> <cats>; 黑狗 is 黑 狗 黑狗."""
        for piece in pieces(text, lower=self.lower):
            if has_han(piece):
                yield from _runs(piece, 1, self.longest_chinese)
            else:
                yield from _runs(f"<{piece}>", self.shortest, min(self.longest, len(piece) + 1))
                yield f"<{piece}>"

    def settings(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        names = ("buckets", "shortest", "longest", "longest_chinese", "lower")
        return {name: getattr(self, name) for name in names}

    def arrays(self) -> dict[str, Array]:
        """Its weights, where it has some."""
        return {} if self.weights is None else {"weights": self.weights}

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array], /) -> HashedNgrams:
        """What `settings` and `arrays` came from."""
        return cls(**settings, weights=arrays.get("weights"))


def _runs(text: str, shortest: int, longest: int) -> Iterator[str]:
    for n in range(shortest, longest + 1):
        for start in range(len(text) - n + 1):
            yield text[start : start + n]


def _bag(names: Iterable[str], buckets: int, weights: Array | None) -> Bag:
    counts = Counter(crc32(name.encode()) % buckets for name in names)
    amounts = {id: damped(count) * (1.0 if weights is None else float(weights[id])) for id, count in counts.items()}
    return bag(amounts, nothing=buckets)


def _check(buckets: int, weights: Array | None) -> None:
    if buckets < 1:
        raise ConfigError(f"buckets is {buckets}; it must be at least 1, better some thousands")
    if weights is not None and (weights.shape != (buckets,) or not (weights > 0).all()):
        raise ConfigError(f"weights must be a number above 0 for each of the {buckets} buckets")
