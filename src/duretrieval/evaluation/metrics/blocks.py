"""Similarity scores a stretch of queries at a time, so that no matrix need fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.similarity import cosine
from duretrieval.types import Array

BLOCK_BYTES = 256 * 2**20
STRIPE_BYTES = 2**20
GALLERY_ROWS = 65_536


class Scores(Protocol):
    """A (q, n) matrix of scores, larger is better, that gives rows when asked.

    An array is one; so is a memory-mapped array, an HDF5 or Zarr data set, and `Compared`.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(q, n)."""
        ...

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]: ...


class TwoWayScores(Scores, Protocol):
    """Scores that can be asked from both sides: arrays, memory-mapped arrays and `Compared`."""

    @property
    def T(self) -> Scores:
        """(n, q): the gallery asks."""
        ...


class Compared:
    """The similarity of two embedding matrices, computed only where it is asked for.

    queries: (q, d) and gallery: (n, d), in memory or memory-mapped.  similarity: any of `duretrieval.similarity`; where
    the rows are unit already, `np.inner` gives the cosine without measuring them again.

    >>> Compared(np.eye(2, dtype=np.float32), np.ones((3, 2), np.float32), np.inner)[0:1]
    array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self, queries: Array, gallery: Array, similarity: Callable[[Array, Array], npt.NDArray[Any]] = cosine
    ) -> None:
        if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
            raise ShapeError(f"expected (q, d) and (n, d) vectors; got shapes {queries.shape} and {gallery.shape}")
        self.queries, self.gallery, self.similarity = queries, gallery, similarity

    @property
    def shape(self) -> tuple[int, int]:
        """(q, n)."""
        return len(self.queries), len(self.gallery)

    @property
    def T(self) -> Compared:
        """The gallery asks and the queries are searched: for a symmetric similarity, as all of ours are."""
        return Compared(self.gallery, self.queries, self.similarity)

    def __getitem__(self, rows: slice) -> npt.NDArray[np.float32]:
        queries = np.asarray(self.queries[rows])
        out = np.empty((len(queries), len(self.gallery)), dtype=np.float32)
        for start in range(0, len(self.gallery), GALLERY_ROWS):
            stop = min(start + GALLERY_ROWS, len(self.gallery))
            out[:, start:stop] = self.similarity(queries, np.asarray(self.gallery[start:stop]))
        return out


def blocks(scores: Scores, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[int, int, npt.NDArray[Any]]]:
    """(start, stop, rows) over all queries; rows are a fresh C-ordered floating (stop - start, n).

    Scores are fetched `block_bytes` at a time, and never less than one row, then handed on in stripes that a processor
    cache holds: several passes over a stripe cost little more than one.

    Raises:
        ShapeError: not a matrix.
        ConfigError: `block_bytes` is not above 0.
        EvaluationError: a score is NaN.
    """
    if len(scores.shape) != 2:
        raise ShapeError(f"expected scores of shape (queries, gallery); got {tuple(scores.shape)}")
    if block_bytes < 1:
        raise ConfigError(f"block_bytes is {block_bytes}; give at least 1 byte, such as {BLOCK_BYTES}")
    q, n = scores.shape
    row_bytes = max(1, 4 * n)
    height, stripe = max(1, block_bytes // row_bytes), max(1, STRIPE_BYTES // row_bytes)
    for top in range(0, q, height):
        block = np.asarray(scores[top : min(top + height, q)])
        for first in range(0, len(block), stripe):
            rows = _floating(block[first : first + stripe])
            start = top + first
            if rows.size and np.isnan(rows.min()):
                at = start + int(np.flatnonzero(np.isnan(rows).any(axis=1))[0])
                raise EvaluationError(f"query {at} has a score that is not a number (NaN); look at its vector first")
            yield start, start + len(rows), rows


def _floating(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy as float32 where that holds every value exactly, else as float64."""
    small = rows.dtype in (np.float32, np.float16, np.bool_)
    return np.array(rows, dtype=np.float32 if small else np.float64, order="C")
