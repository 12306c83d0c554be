"""Texts by the vectors of their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from duretrieval.encode.bags import Ids, sums, with_nothing
from duretrieval.encode.text_bags import TextBags, bags_of
from duretrieval.encode.vocabulary import Vocabulary
from duretrieval.errors import ShapeError
from duretrieval.language.words import Words
from duretrieval.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors(TextBags):
    """row = unit(sum of w_i v_i over the words), v_i the vector of a word, as word2vec learned it."""

    use: ClassVar[str] = "words"
    readers: ClassVar = (Vocabulary,)

    @classmethod
    def of(
        cls,
        known: Sequence[str],
        vectors: Array,
        *,
        words: Words | None = None,
        weights: Array | None = None,
        spread: bool = True,
    ) -> WordVectors:
        """From words and their vectors (len(known), d).

        weights: how much each word counts (`smooth_inverse_frequency`, `bags.inverse_frequency`); None: all the same.
        spread: a word that is not known is read as known ones like it (`language.unknown`).

        Raises:
            ShapeError: not one vector a word.
        """
        if vectors.ndim != 2 or len(vectors) != len(known) or not len(known):
            raise ShapeError(
                f"expected one vector for each of {len(known)} words; got an array of shape {vectors.shape}"
            )
        words = (words or Words()).for_vocabulary(known)
        return cls(Vocabulary(words, known, weights, spread=spread), with_nothing(vectors.astype(np.float32)))

    def __post_init__(self) -> None:
        TextBags.__post_init__(self)
        if self.table is None:
            raise ShapeError("word vectors need a table, with a row for every word and one for nothing")

    @property
    def vectors(self) -> Array:
        """Of the words it knows: (len(known), dim)."""
        table: Array = np.asarray(self.table)
        return table[:-1]

    def without_common(self, texts: Iterable[str]) -> WordVectors:
        """With the direction that texts have in common taken out of every word's vector.

        v_s = 1/|s| sum of w_i v_i over the words of text s;  u the first right singular vector of the rows v_s;  each
        v becomes v - u u·v (Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings",
        algorithm 1). The paper takes it out of the texts; a text is a sum of words, so the result is the same.

        Raises:
            ShapeError: there are no texts.
        """
        bags = bags_of(self.reader, texts)
        if not bags:
            raise ShapeError("there are no texts to find a common direction of; give those that the words came from")
        weights = np.append(np.ones(self.reader.size - 1) if self.reader.weights is None else self.reader.weights, 1.0)
        lengths = np.array([float((amounts / weights[ids]).sum()) for ids, amounts in bags])
        v = sums(bags, self.table, self.reader.size) / lengths[:, None]
        u = np.linalg.eigh(v.T @ v)[1][:, -1]
        left = self.vectors - np.outer(self.vectors @ u, u)
        return replace(self, table=with_nothing(left.astype(np.float32)))


def smooth_inverse_frequency(counts: Ids, a: float = 1e-3) -> Array:
    """a / (a + p(w)), p(w) the share of a word among all (Arora, Liang & Ma 2017, equation 3).

    smooth_inverse_frequency([1, 999], a=0.001) == [0.5, 0.001]
    """
    p = counts / max(counts.sum(), 1)
    weights: Array = (a / (a + p)).astype(np.float32)
    return weights
