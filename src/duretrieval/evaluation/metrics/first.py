"""Metrics of the best ranked relevant item."""

from __future__ import annotations

import numpy as np

from duretrieval.evaluation.metrics.at_k import check_k
from duretrieval.evaluation.ranks import Ranks
from duretrieval.types import Floats


def first_rank(ranks: Ranks) -> Floats:
    """Rank of the best ranked relevant item: (q,), from 1; inf where none was retrieved. Smaller is better.

    Its median and mean over queries are the MedR and MeanR of cross-modal papers (see `metrics.summary`).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> first_rank(ranks_of([["a", "b", "c"], ["a"]], [{"b", "c"}, {"z"}]))
    array([ 2., inf])
    """
    out = np.full(len(ranks), np.nan)
    some = ranks.counts > 0
    out[some] = ranks.rank[ranks.start[:-1][some]]
    return out


def reciprocal_rank(ranks: Ranks, k: int | None = None) -> Floats:
    """1 / rank of the best ranked relevant item, 0 where it is not among the first k: (q,).

    Its mean is MRR (Voorhees 1999, TREC-8 question answering track).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> reciprocal_rank(ranks_of([["a", "b", "c"], ["a"]], [{"b", "c"}, {"z"}]))
    array([0.5, 0. ])

    Raises:
        ConfigError: k is below 1.
    """
    first = first_rank(ranks)
    if k is not None:
        check_k(k)
        first = np.where(first > k, np.inf, first)
    return 1 / first
