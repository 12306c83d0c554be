"""Where the relevant items of each query came: all that a ranking metric needs, however large the gallery is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duretrieval.errors import EvaluationError, ShapeError
from duretrieval.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """The ranks of the m relevant items of q queries, query after query.

    A query without relevant items is an empty row; every metric gives it NaN and every mean leaves it out.
    """

    rank: Floats
    """(m,) from 1, rising within a query; inf for a relevant item that was not retrieved."""
    gain: Floats
    """(m,) above 0: how relevant; 1 where relevance is yes or no."""
    start: Ints
    """(q + 1,): query i has rank[start[i]:start[i + 1]]."""

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def counts(self) -> Ints:
        """(q,) how many relevant items each query has: R in the formulas."""
        return np.diff(self.start)

    @property
    def query(self) -> Ints:
        """(m,) the query that each rank belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts)

    @property
    def place(self) -> Ints:
        """(m,) 1 for a query's best ranked relevant item, 2 for the next ..."""
        return np.arange(1, len(self.rank) + 1, dtype=np.int64) - np.repeat(self.start[:-1], self.counts)

    def total(self, values: npt.NDArray[np.generic]) -> Floats:
        """The sum over each query's relevant items of values (m,): (q,)."""
        return np.bincount(self.query, weights=values.astype(np.float64), minlength=len(self)).astype(np.float64)


def ranks_of(
    ranked: Sequence[Sequence[Hashable]], relevant: Sequence[Set[Hashable] | Mapping[Hashable, float]]
) -> Ranks:
    """Ranks from lists of ids, best first, and the ids that count for each query.

    relevant[i]: a set, or a mapping from id to gain; a gain of 0 or less means judged and not relevant.

    >>> ranks_of([["a", "b"], ["c", "d"]], [{"b"}, {"z"}]).rank
    array([ 2., inf])

    Raises:
        ShapeError: there are not as many lists as queries.
        EvaluationError: an id comes twice in a list; its second place would count it twice.
    """
    if len(ranked) != len(relevant):
        raise ShapeError(f"{len(ranked)} ranked lists for {len(relevant)} queries; give one list for each query")
    rows = []
    for i, (ids, wanted) in enumerate(zip(ranked, relevant, strict=True)):
        place = {identity: float(rank) for rank, identity in reversed(list(enumerate(ids, start=1)))}
        if len(place) != len(ids):
            twice = next(identity for rank, identity in enumerate(ids, start=1) if place[identity] != rank)
            raise EvaluationError(f"the list of query {i} holds {twice!r} twice; keep its best place only")
        gains = wanted if isinstance(wanted, Mapping) else dict.fromkeys(wanted, 1.0)
        rows.append([(place.get(identity, np.inf), gain) for identity, gain in gains.items() if gain > 0])
    return from_rows(rows)


def from_rows(rows: Sequence[Sequence[tuple[float, float]]]) -> Ranks:
    """Ranks from (rank, gain) pairs per query, in any order within it.

    >>> from_rows([[(3, 1.0), (1, 2.0)], []]).rank
    array([1., 3.])
    """
    flat = np.array([pair for row in rows for pair in row], dtype=np.float64).reshape(-1, 2)
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
    query = np.repeat(np.arange(len(rows)), np.diff(start))
    order = np.lexsort((flat[:, 0], query))
    return Ranks(rank=flat[order, 0], gain=flat[order, 1], start=start)


def join(pieces: Sequence[Ranks]) -> Ranks:
    """The queries of several Ranks, one after another.

    >>> len(join([from_rows([[(1, 1.0)]]), from_rows([[], [(2, 1.0)]])]))
    3
    """
    counts = np.concatenate([np.zeros(0, np.int64), *(piece.counts for piece in pieces)])
    return Ranks(
        rank=np.concatenate([np.zeros(0), *(piece.rank for piece in pieces)]),
        gain=np.concatenate([np.zeros(0), *(piece.gain for piece in pieces)]),
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )
