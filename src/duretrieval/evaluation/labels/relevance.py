"""What counts as a right answer: gallery rows and gains per query, listed or derived from labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from duretrieval.errors import EvaluationError, ShapeError
from duretrieval.types import Floats, Ints


class Relevance(Protocol):
    """Says, for a stretch of queries at a time, which gallery rows count; so labels need never be a full matrix."""

    def __len__(self) -> int: ...

    def rows(self, start: int, stop: int, /) -> Relevant:
        """The queries from `start` up to `stop`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Relevant:
    """The relevant gallery rows of q queries, query after query."""

    item: Ints
    """(m,) row in the gallery, from 0."""
    gain: Floats
    """(m,) above 0."""
    start: Ints
    """(q + 1,): query i has item[start[i]:start[i + 1]]."""

    def __len__(self) -> int:
        return len(self.start) - 1

    def rows(self, start: int, stop: int) -> Relevant:
        """The queries from `start` up to `stop`."""
        a, b = self.start[start], self.start[stop]
        return Relevant(self.item[a:b], self.gain[a:b], self.start[start : stop + 1] - a)


def relevant(rows: Sequence[Iterable[int] | Mapping[int, float]]) -> Relevant:
    """Listed relevance: for each query the gallery rows that count, or a mapping from row to gain.

    A gain of 0 or less means judged and not relevant; a row listed twice counts once.

    >>> relevant([[3, 1], {0: 2.0, 4: 0.0}, []]).item
    array([1, 3, 0])
    """
    gains = [dict(row) if isinstance(row, Mapping) else dict.fromkeys(row, 1.0) for row in rows]
    kept = [sorted((item, gain) for item, gain in row.items() if gain > 0) for row in gains]
    return Relevant(
        item=np.array([item for row in kept for item, _ in row], dtype=np.int64),
        gain=np.array([gain for row in kept for _, gain in row], dtype=np.float64),
        start=np.concatenate([[0], np.cumsum([len(row) for row in kept])]).astype(np.int64),
    )


class SameGroup:
    """Relevant is what has the query's group: a caption's picture, a single class label, a set of near copies.

    queries: (q,) and gallery: (n,), the group of each.

    >>> SameGroup(["cat", "dog"], ["dog", "cat", "cat"]).rows(0, 2).item
    array([1, 2, 0])
    """

    def __init__(self, queries: Sequence[Hashable], gallery: Sequence[Hashable]) -> None:
        self.queries = queries
        self.members: dict[Hashable, list[int]] = {}
        for row, group in enumerate(gallery):
            self.members.setdefault(group, []).append(row)

    def __len__(self) -> int:
        return len(self.queries)

    def rows(self, start: int, stop: int) -> Relevant:
        """The queries from `start` up to `stop`."""
        return relevant([self.members.get(group, []) for group in self.queries[start:stop]])


class SharedLabel:
    """Relevant is what shares at least one label with the query: multi-label classes, NUS-WIDE style.

    queries: (q, c) and gallery: (n, c), non-zero where the label holds.  graded: the gain is the number of shared
    labels instead of 1.

    >>> SharedLabel(np.array([[1, 1, 0]]), np.array([[0, 0, 1], [1, 1, 0], [0, 1, 1]]), graded=True).rows(0, 1).gain
    array([2., 1.])

    Raises:
        ShapeError: the two sides do not have the same labels.
    """

    def __init__(self, queries: npt.ArrayLike, gallery: npt.ArrayLike, *, graded: bool = False) -> None:
        self.queries = (np.asarray(queries) != 0).astype(np.float32)
        self.gallery = (np.asarray(gallery) != 0).astype(np.float32)
        self.graded = graded
        if self.queries.ndim != 2 or self.gallery.ndim != 2 or self.queries.shape[1] != self.gallery.shape[1]:
            raise ShapeError(
                f"labels of queries {self.queries.shape} and gallery {self.gallery.shape} must be two matrices "
                "with one column for each label"
            )

    def __len__(self) -> int:
        return len(self.queries)

    def rows(self, start: int, stop: int) -> Relevant:
        """The queries from `start` up to `stop`; memory is (stop - start, n) float32."""
        shared = self.queries[start:stop] @ self.gallery.T
        query, item = np.nonzero(shared)
        counts = np.bincount(query, minlength=stop - start)
        gain = shared[query, item].astype(np.float64) if self.graded else np.ones(len(item))
        return Relevant(item.astype(np.int64), gain, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def check_fits(relevance: Relevant, n: int) -> None:
    """Refuse rows outside a gallery of `n`.

    Raises:
        EvaluationError: a relevant item is not in the gallery.
    """
    outside = np.flatnonzero((relevance.item < 0) | (relevance.item >= n))
    if len(outside):
        raise EvaluationError(
            f"gallery row {relevance.item[outside[0]]} is said to be relevant, but the gallery has rows 0 to {n - 1}; "
            "are queries and gallery the wrong way round?"
        )
