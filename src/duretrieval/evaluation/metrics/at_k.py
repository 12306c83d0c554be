"""Metrics of the first k results, as sets: what is among them, not in which order."""

from __future__ import annotations

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.evaluation.ranks import Ranks
from duretrieval.types import Floats


def hit_at_k(ranks: Ranks, k: int) -> Floats:
    """1 where any relevant item is among the first k, else 0: (q,).

    What cross-modal papers print as R@k (Hodosh, Young and Hockenmaier 2013, section 4.2); "success@k" in TREC.

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> hit_at_k(ranks_of([["a", "b"], ["c", "d"]], [{"b"}, {"z"}]), k=2)
    array([1., 0.])
    """
    return _where_any(ranks, (_found(ranks, k) > 0).astype(np.float64))


def recall_at_k(ranks: Ranks, k: int) -> Floats:
    """Share of the relevant items that are among the first k: (q,).

    |relevant in the first k| / R  (Manning, Raghavan and Schütze 2008, section 8.4). Equal to `hit_at_k` only where a
    query has one relevant item.

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> recall_at_k(ranks_of([["a", "b", "c"]], [{"a", "c", "x", "y"}]), k=3)
    array([0.5])
    """
    return _where_any(ranks, _found(ranks, k) / np.maximum(ranks.counts, 1))


def precision_at_k(ranks: Ranks, k: int) -> Floats:
    """Share of the first k that are relevant: (q,). A list shorter than k is judged as if filled with wrong items.

    |relevant in the first k| / k  (Manning, Raghavan and Schütze 2008, section 8.4).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> precision_at_k(ranks_of([["a", "b", "c"]], [{"a", "c"}]), k=4)
    array([0.5])
    """
    return _where_any(ranks, _found(ranks, k) / k)


def r_precision(ranks: Ranks) -> Floats:
    """Precision among the first R, the number of relevant items the query has: (q,).

    |relevant in the first R| / R  (Manning, Raghavan and Schütze 2008, section 8.4).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> r_precision(ranks_of([["a", "b", "c"]], [{"a", "c"}]))
    array([0.5])
    """
    found = ranks.total(ranks.rank <= ranks.counts[ranks.query])
    return _where_any(ranks, found / np.maximum(ranks.counts, 1))


def check_k(k: int) -> None:
    """Refuse a cut-off below 1.

    Raises:
        ConfigError: k is below 1.
    """
    if k < 1:
        raise ConfigError(f"k is {k}; give the number of results to look at, at least 1")


def _found(ranks: Ranks, k: int) -> Floats:
    check_k(k)
    return ranks.total(ranks.rank <= k)


def _where_any(ranks: Ranks, values: Floats) -> Floats:
    return np.where(ranks.counts > 0, values, np.nan)
