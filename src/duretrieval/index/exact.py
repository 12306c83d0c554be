"""An index that compares every vector: what approximate ones are measured against, and enough below a million rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.types import Array

_BLOCK = 256  # queries at a time, so that scores take block x n floats
_ROUNDING = 1e-6


class ExactIndex:
    """Rows in one matrix, in memory; equal scores come in the order of their ids.

    dim: components of a vector.
    """

    def __init__(self, dim: int) -> None:
        self._rows = np.empty((0, dim), dtype=np.float32)
        self._ids: list[str] = []
        self._places: dict[str, int] = {}

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self._rows.shape[1]

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Sequence[str], vectors: Array, /) -> None:
        """Keep (n, dim) unit rows, row i as ids[i]; one that is there is replaced, and of two alike the last stays.

        Raises:
            ShapeError: not one row of `dim` components for each id.
        """
        rows = matrix(vectors, self.dim, len(ids))
        last = {id: i for i, id in enumerate(ids)}
        new = [id for id in last if id not in self._places]
        self._reserve(len(self._ids) + len(new))
        for id in new:
            self._places[id] = len(self._ids)
            self._ids.append(id)
        self._rows[[self._places[id] for id in last]] = rows[list(last.values())]

    def remove(self, ids: Sequence[str], /) -> None:
        """Forget ids; those that are not there do not matter."""
        for id in ids:
            place = self._places.pop(id, None)
            if place is None:
                continue
            moved = self._ids.pop()  # the last row fills the gap
            if moved != id:
                self._rows[place] = self._rows[len(self._ids)]
                self._ids[place] = moved
                self._places[moved] = place

    def search(self, queries: Array, k: int, /) -> list[list[tuple[str, float]]]:
        """The k nearest (id, cosine) of each of (q, dim) unit queries, best first; fewer when the index is smaller.

        Raises:
            ShapeError: queries of another width.
        """
        asked = matrix(queries, self.dim)
        k = min(k, len(self))
        if k < 1:
            return [[] for _ in asked]
        found: list[list[tuple[str, float]]] = []
        for at in range(0, len(asked), _BLOCK):
            block = asked[at : at + _BLOCK]
            scores = block @ self._rows[: len(self)].T
            found.extend(self._best(query, row, k) for query, row in zip(block, scores, strict=True))
        return found

    def _best(self, query: Array, scores: Array, k: int) -> list[tuple[str, float]]:
        """The k best of scores (n,), compared again row by row: a matrix product may give equal rows unequal scores."""
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k] - _ROUNDING
        near = np.flatnonzero(scores >= threshold)
        again = np.sum(self._rows[near] * query, axis=1)
        ranked = sorted((-float(score), self._ids[i]) for score, i in zip(again, near, strict=True))
        return [(id, -score) for score, id in ranked[:k]]

    def _reserve(self, n: int) -> None:
        if n > len(self._rows):
            grown = np.empty((max(n, 2 * len(self._rows), 64), self.dim), dtype=np.float32)
            grown[: len(self._ids)] = self._rows[: len(self._ids)]
            self._rows = grown


def matrix(vectors: Array, dim: int, n: int | None = None) -> Array:
    """`vectors` as contiguous (n, dim) float32.

    Raises:
        ShapeError: another shape, or a value that is not finite.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != dim or n not in (None, len(rows)):
        raise ShapeError(f"expected vectors of shape ({'n' if n is None else n}, {dim}); got {rows.shape}")
    if not np.isfinite(rows).all():
        raise ShapeError(f"row {np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]} of the vectors is not finite")
    return rows


def direction(query: Array, dim: int) -> Array:
    """The query of a store, (dim,), scaled to length 1.

    Raises:
        ShapeError: another shape, or it is zero or not finite.
    """
    vector = np.asarray(query, dtype=np.float32)
    if vector.shape != (dim,):
        raise ShapeError(f"the query has shape {vector.shape}; this store holds vectors of shape ({dim},)")
    length = float(np.linalg.norm(vector))
    if not (np.isfinite(length) and length > 0):
        raise ShapeError("the query vector is zero or not finite, so nothing is near it; give one with a direction")
    return vector / np.float32(length)
