"""Which binary codes hang together by small differences, without comparing every pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duretrieval.duplicates.perceptual import Code
from duretrieval.duplicates.union_find import UnionFind
from duretrieval.types import Ints

FEW = 1_000
"""Codes that are compared each with each."""
PIVOTS = 4
"""Codes of a larger group that are compared with all of it first, which settles dense groups at once."""


def near_groups(codes: Code, radius: int) -> Ints:
    """The group of each code, (n, bytes) uint8 -> (n,): chains of codes that differ in at most `radius` bits.

    Cut into radius + 1 bands, two such codes agree in one of them (the pigeonhole of multi-index hashing, Norouzi,
    Punjani and Fleet 2012, "Fast search in Hamming space with multi-index hashing", proposition 1): only codes with an
    equal band are compared.  Unlike the paper, bits are dealt to bands by how evenly they divide the codes at hand,
    and codes with an equal band are cut again in the same way over their other bits, because half of all drawings have
    white corners.
    """
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    search = _Search(distinct, radius)
    search.among(np.arange(len(distinct)), np.arange(8 * codes.shape[1]))
    return np.array([search.forest.root(int(i)) for i in which.ravel()], dtype=np.int64)


class _Search:
    """Joins what is near among codes that are all different."""

    def __init__(self, codes: Code, radius: int) -> None:
        whole = np.pad(codes, ((0, 0), (0, -codes.shape[1] % 8)))
        self.words = np.ascontiguousarray(whole).view(np.uint64)
        self.bits = np.unpackbits(codes, axis=1)
        self.radius = radius
        self.forest = UnionFind(len(codes))

    def among(self, rows: Ints, places: Ints) -> None:
        """Join rows that are near, knowing that they agree in every bit that is not in `places`."""
        if self._is_one(rows):
            return
        if len(rows) <= FEW:
            self._each_with_each(rows)
            return
        for pivot in np.linspace(0, len(rows) - 1, PIVOTS).astype(int):
            self._join(rows[pivot], rows[self._distances(rows[pivot : pivot + 1], rows)[0] <= self.radius])
        share = self.bits[np.ix_(rows, places)].mean(axis=0)
        divides = (share > 0) & (share < 1)
        dealt = places[divides][np.argsort(np.abs(share[divides] - 0.5), kind="stable")]
        for band in range(self.radius + 1):
            mine = dealt[band :: self.radius + 1]
            rest = np.setdiff1d(dealt, mine, assume_unique=True)
            for group in _equal(self.bits[np.ix_(rows, mine)]):
                self.among(rows[group], rest)

    def _each_with_each(self, rows: Ints) -> None:
        close = np.triu(self._distances(rows, rows) <= self.radius, 1)
        for i in np.flatnonzero(close.any(axis=1)):
            self._join(rows[i], rows[close[i]])

    def _join(self, row: int, others: Ints) -> None:
        for other in others:
            self.forest.join(int(row), int(other))

    def _distances(self, a: Ints, b: Ints) -> npt.NDArray[np.int64]:
        total = np.zeros((len(a), len(b)), dtype=np.int64)
        for word in self.words.T:
            total += np.bitwise_count(word[a][:, None] ^ word[b])
        return total

    def _is_one(self, rows: Ints) -> bool:
        root = self.forest.root(int(rows[0])) if len(rows) else 0
        return all(self.forest.root(int(row)) == root for row in rows)


def _equal(bits: npt.NDArray[np.uint8]) -> list[Ints]:
    """Places of equal rows, where there are at least two."""
    packed = np.packbits(bits, axis=1)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel() if packed.shape[1] else None
    if keys is None:
        return [np.arange(len(bits))] if len(bits) > 1 else []
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    return [group for group in np.split(order, np.cumsum(counts)[:-1]) if len(group) > 1]
