"""From scores to the ranks of the relevant items, without sorting the gallery where counting will do.

The rank of an item is one more than the number of items that come before it. For the few relevant items of a query,
counting larger scores is one pass over its row; sorting the row would cost an order of magnitude more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.evaluation.labels.relevance import Relevance, Relevant, check_fits
from duretrieval.evaluation.metrics.blocks import BLOCK_BYTES, Scores, blocks
from duretrieval.evaluation.ranks import Ranks, join
from duretrieval.types import Floats, Ints

Ties = Literal["worst", "best", "order"]
FEW = 16


def rank(
    scores: Scores,
    relevance: Relevance,
    *,
    ties: Ties = "worst",
    own: Ints | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Ranks:
    """The ranks of every query's relevant items.

    scores: (q, n), larger is better; -inf means not retrieved, and a relevant item there has rank inf.
    ties: among equal scores, `worst` puts the irrelevant items first, so that a model that scores everything alike
    gains nothing; `best` puts the relevant first; `order` goes by gallery row, as a stable sort does.
    own: (q,) the gallery row that is the query itself, left out of its ranking; -1 for none.

    >>> from duretrieval.evaluation.labels.relevance import relevant
    >>> rank(np.array([[0.1, 0.9, 0.5], [0.2, 0.2, 0.2]]), relevant([[2], [0]])).rank
    array([2., 3.])

    Raises:
        ShapeError: scores, relevance and own are not about the same number of queries.
        EvaluationError: a score is NaN, or a relevant item is not in the gallery.
    """
    return join(list(rank_blocks(scores, relevance, ties=ties, own=own, block_bytes=block_bytes)))


def rank_blocks(
    scores: Scores,
    relevance: Relevance,
    *,
    ties: Ties = "worst",
    own: Ints | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Ranks]:
    """As `rank`, a stretch of queries at a time: for relevance by class, where even the ranks are too many to keep."""
    if ties not in ("worst", "best", "order"):
        raise ConfigError(f"ties is {ties!r}; choose 'worst', 'best' or 'order'")
    q, n = scores.shape
    for name, rows in (("relevance", relevance), ("own", own)):
        if rows is not None and len(rows) != q:
            raise ShapeError(f"scores are for {q} queries and {name} for {len(rows)}; give one row for each query")
    for start, stop, block in blocks(scores, block_bytes):
        wanted = relevance.rows(start, stop)
        check_fits(wanted, n)
        if own is not None:
            wanted = _without_own(block, wanted, own[start:stop])
        yield _rank_block(block, wanted, ties)


def per_query(measures: Mapping[str, Any], scores: Scores, relevance: Relevance, **options: Any) -> dict[str, Floats]:
    """Each measure's value for each query, (q,) each, keeping no more than a block of scores and ranks.

    measures: name -> function of Ranks.  options: as `rank`.

    >>> from duretrieval.evaluation.metrics import first_rank
    >>> from duretrieval.evaluation.labels.relevance import relevant
    >>> per_query({"first": first_rank}, np.array([[0.1, 0.9, 0.5]]), relevant([[2]]))
    {'first': array([2.])}
    """
    values: dict[str, list[Floats]] = {name: [np.zeros(0)] for name in measures}
    for ranks in rank_blocks(scores, relevance, **options):
        for name, measure in measures.items():
            values[name].append(measure(ranks))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def _without_own(block: npt.NDArray[Any], wanted: Relevant, own: Ints) -> Relevant:
    known = np.flatnonzero(own >= 0)
    block[known, own[known]] = -np.inf
    query = np.repeat(np.arange(len(wanted)), np.diff(wanted.start))
    keep = wanted.item != own[query]
    counts = np.bincount(query[keep], minlength=len(wanted))
    return Relevant(wanted.item[keep], wanted.gain[keep], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _rank_block(block: npt.NDArray[Any], wanted: Relevant, ties: Ties) -> Ranks:
    """Ranks of one block, which is overwritten."""
    query = np.repeat(np.arange(len(wanted)), np.diff(wanted.start))
    score = block[query, wanted.item]
    if ties == "order":
        before = _before_in_order(block, wanted)
        order = np.lexsort((before, query))
        ranks = before[order] + 1.0
    else:
        # relevant items among themselves: by score, and within a tie the gain that the policy puts first
        order = np.lexsort((wanted.gain if ties == "worst" else -wanted.gain, -score, query))
        block[query, wanted.item] = -np.inf  # so that what is counted below is irrelevant
        place = np.arange(len(order)) - np.repeat(wanted.start[:-1], np.diff(wanted.start))
        ranks = _irrelevant_before(block, score[order], wanted.start, ties) + place + 1.0
    ranks[np.isneginf(score[order])] = np.inf
    return Ranks(rank=ranks, gain=wanted.gain[order], start=wanted.start)


def _irrelevant_before(block: npt.NDArray[Any], score: npt.NDArray[Any], start: Ints, ties: Ties) -> Floats:
    """(m,) how many entries of its row each score (m,) loses to: counting for a few, one sort for many."""
    out = np.zeros(len(score))
    counts = np.diff(start)
    if counts.max(initial=0) > FEW:
        for row, (a, b) in enumerate(pairwise(start)):
            out[a:b] = _by_sorting(block[row], score[a:b], ties)
        return out
    for nth in range(counts.max(initial=0)):
        rows = np.flatnonzero(counts > nth)
        at = start[rows] + nth
        out[at] = _by_comparing(block if len(rows) == len(block) else block[rows], score[at], ties)
    return out


def _by_comparing(rows: npt.NDArray[Any], score: npt.NDArray[Any], ties: Ties) -> list[int]:
    before = np.greater_equal if ties == "worst" else np.greater
    return [int(np.count_nonzero(row)) for row in before(rows, score[:, None])]


def _by_sorting(row: npt.NDArray[Any], score: npt.NDArray[Any], ties: Ties) -> npt.NDArray[Any]:
    losers = np.searchsorted(np.sort(row), score, side="left" if ties == "worst" else "right")
    return len(row) - losers


def _before_in_order(block: npt.NDArray[Any], wanted: Relevant) -> Floats:
    out = np.zeros(len(wanted.item))
    for row in range(len(block)):
        part = slice(wanted.start[row], wanted.start[row + 1])
        place = np.empty(block.shape[1], dtype=np.int64)
        place[np.argsort(-block[row], kind="stable")] = np.arange(block.shape[1])
        out[part] = place[wanted.item[part]]
    return out
