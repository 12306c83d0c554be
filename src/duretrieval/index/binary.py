"""Binary codes: one bit a component to find candidates, and what is kept of the vectors to put them in order.

A code is the signs of a vector, and two codes are compared by the bits in which they differ (Hamming distance). For 384
components that is 48 bytes instead of 1,536, and a query reads a thirty-second of the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError
from duretrieval.index.exact import matrix
from duretrieval.protocols import Aligner
from duretrieval.types import Array, Modality

Keep = Literal["float32", "int8", "nothing"]
Words = npt.NDArray[np.uint64]


class BinaryIndex:
    """Nearest neighbours by Hamming distance of binary codes, put in order by the cosine.

    coder: vectors (n, dim) -> rows whose signs are the code, such as `Itq` or a learned `codes` head; None takes the
    signs of the vectors themselves, which serves where they spread around 0 in every component.
    keep: what is kept of the vectors to order the candidates by: "float32" (4 dim bytes, the exact cosine), "int8" (dim
    bytes, the cosine within about 0.01) or "nothing" (the cosine is estimated from the distance, see `_estimated`).
    rescore: candidates for each of the k results; more finds more.  All codes as near as the last candidate are taken,
    so the order in which vectors were added does not matter.

    Raises:
        ConfigError: there is no such `keep`, or rescore is less than 1.
    """

    def __init__(self, dim: int, *, coder: Aligner | None = None, keep: Keep = "float32", rescore: int = 10) -> None:
        if keep not in ("float32", "int8", "nothing"):
            raise ConfigError(f"keep is {keep!r}; choose 'float32', 'int8' or 'nothing'")
        if rescore < 1:
            raise ConfigError(f"rescore is {rescore}; it must be 1 or more")
        self._dim = dim
        self.bits = coder.dim if coder else dim
        self.keep = keep
        self.rescore = rescore
        self._coder = coder
        # One word of all codes lies together: numpy then needs a sixth of the time that codes one after another take,
        # and is as fast as faiss.
        self._codes: Words = np.empty((-(-self.bits // 64), 0), dtype=np.uint64)
        self._rows: npt.NDArray[Any] = np.empty((0, dim if keep != "nothing" else 0), _TYPES[keep])
        self._scales: Array = np.empty((0, 1 if keep == "int8" else 0), dtype=np.float32)
        self._ids: list[str] = []
        self._places: dict[str, int] = {}

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self._dim

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def bytes_per_vector(self) -> int:
        """Memory for a vector, its id not counted."""
        rows, scales = self._rows.shape[1] * self._rows.itemsize, self._scales.shape[1] * self._scales.itemsize
        return 8 * len(self._codes) + int(rows + scales)

    def add(self, ids: Sequence[str], vectors: Array, /) -> None:
        """Keep (n, dim) unit rows, row i as ids[i]; one that is there is replaced, and of two alike the last stays.

        Raises:
            ShapeError: not one row of `dim` components for each id.
        """
        rows = matrix(vectors, self._dim, len(ids))
        last = {id: i for i, id in enumerate(ids)}
        rows = rows[list(last.values())]
        new = [id for id in last if id not in self._places]
        self._reserve(len(self._ids) + len(new))
        for id in new:
            self._places[id] = len(self._ids)
            self._ids.append(id)
        places = [self._places[id] for id in last]
        self._codes[:, places] = self._coded(rows).T
        self._rows[places], self._scales[places] = _kept(rows, self.keep)

    def remove(self, ids: Sequence[str], /) -> None:
        """Forget ids; those that are not there do not matter."""
        for id in ids:
            place = self._places.pop(id, None)
            if place is None:
                continue
            moved, end = self._ids.pop(), len(self._ids)  # the last row fills the gap
            if moved != id:
                self._codes[:, place] = self._codes[:, end]
                self._rows[place], self._scales[place] = self._rows[end], self._scales[end]
                self._ids[place] = moved
                self._places[moved] = place

    def search(self, queries: Array, k: int, /) -> list[list[tuple[str, float]]]:
        """The k nearest (id, cosine) of each of (q, dim) unit queries, best first; fewer when the index is smaller.

        Raises:
            ShapeError: queries of another width.
        """
        asked = matrix(queries, self._dim)
        k = min(k, len(self))
        if k < 1:
            return [[] for _ in asked]
        return [self._best(query, code, k) for query, code in zip(asked, self._coded(asked), strict=True)]

    def _best(self, query: Array, code: Words, k: int) -> list[tuple[str, float]]:
        distances = hamming(self._codes[:, : len(self)], code)
        wanted = k if self.keep == "nothing" else min(self.rescore * k, len(self))
        near = np.flatnonzero(distances <= np.partition(distances, wanted - 1)[wanted - 1])
        scores = self._estimated(distances[near]) if self.keep == "nothing" else self._cosines(near, query)
        ranked = sorted((-score, self._ids[i]) for score, i in zip(scores.tolist(), near, strict=True))
        return [(id, -score) for score, id in ranked[:k]]

    def _cosines(self, places: npt.NDArray[np.intp], query: Array) -> Array:
        cosines: Array = np.sum(self._rows[places] * query, axis=1, dtype=np.float32)
        return cosines * self._scales[places, 0] if self.keep == "int8" else cosines

    def _estimated(self, distances: npt.NDArray[np.uint16]) -> Array:
        """cos(pi h / bits): the bits of two vectors differ as often as a random plane parts them, angle / pi.

        Exact in the mean for random directions (Charikar 2002, "Similarity estimation techniques from rounding
        algorithms", section 3), for others only in the right order.
        """
        estimated: Array = np.cos(np.pi * distances.astype(np.float32) / np.float32(self.bits))
        return estimated

    def _coded(self, rows: Array) -> Words:
        """Codes of rows: (n, dim) -> (n, words), bits after the last one 0."""
        # The coder works on the shared space, where all modalities are alike.
        signed = self._coder(rows, Modality.TEXT) if self._coder else rows
        packed = np.zeros((len(rows), 8 * len(self._codes)), dtype=np.uint8)
        bits = np.packbits(signed > 0, axis=1)
        packed[:, : bits.shape[1]] = bits
        return packed.view(np.uint64)

    def _reserve(self, n: int) -> None:
        held = self._codes.shape[1]
        if n > held:
            more = max(n, 2 * held, 64) - held
            self._codes = np.pad(self._codes, ((0, 0), (0, more)))
            self._rows = np.pad(self._rows, ((0, more), (0, 0)))
            self._scales = np.pad(self._scales, ((0, more), (0, 0)))


def hamming(codes: Words, code: Words) -> npt.NDArray[np.uint16]:
    """Bits in which each of n codes differs from one: (words, n), (words,) -> (n,)."""
    distances = np.zeros(codes.shape[1], dtype=np.uint16)
    for word, asked in zip(codes, code, strict=True):
        distances += np.bitwise_count(word ^ asked)
    return distances


_TYPES: dict[str, type[np.generic]] = {"float32": np.float32, "int8": np.int8, "nothing": np.float32}


def _kept(rows: Array, keep: Keep) -> tuple[npt.NDArray[Any], Array]:
    """What is kept of rows (n, dim), and by what each has to be multiplied: (n, dim or 0), (n, 1 or 0)."""
    nothing = np.empty((len(rows), 0), dtype=np.float32)
    if keep == "float32":
        return rows, nothing
    if keep == "nothing":
        return nothing, nothing
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    scales: Array = np.maximum(largest, np.finfo(np.float32).tiny) / np.float32(127)
    return np.round(rows / scales).astype(np.int8), scales
