"""Average precision: the mean, over the relevant items, of the precision at the place of each.

With a cut-off the field divides by three different numbers, and prints the same name. Here the divisor is said:

    over="relevant"    R              trec_eval's map_cut; can stay below 1 for a perfect list when R > k
    over="reachable"   min(R, k)      a perfect list reaches 1
    over="found"       relevant items among the first k (0 where there is none); what code for supervised hashing
                       does. It rewards finding one item and then nothing more, so compare it only with itself.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError
from duretrieval.evaluation.metrics.at_k import check_k
from duretrieval.evaluation.ranks import Ranks
from duretrieval.types import Floats

Over = Literal["relevant", "reachable", "found"]


def average_precision(ranks: Ranks, k: int | None = None, over: Over = "relevant") -> Floats:
    """Average precision, over the whole list or the first k: (q,). Its mean over queries is mAP, or mAP@k.

    (1 / D) sum_i P(r_i) [r_i <= k],  P(r_i) = i / r_i for the i-th relevant item at rank r_i; D as the module says
    (Manning, Raghavan and Schütze 2008, equation 8.8, where k is the whole list and D = R).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> three = ranks_of([["a", "b", "c"]], [{"a", "c", "z"}])  # ranks 1 and 3; z was not retrieved
    >>> average_precision(three)  # (1/1 + 2/3 + 0) / 3
    array([0.55555556])
    >>> average_precision(three, k=2, over="reachable")  # (1/1) / 2
    array([0.5])
    >>> average_precision(three, k=2, over="found")  # (1/1) / 1
    array([1.])

    Raises:
        ConfigError: k is below 1, or `over` is none of the three.
    """
    if k is not None:
        check_k(k)
    return _average(ranks, np.full(len(ranks), np.inf if k is None else k), over)


def average_precision_at_r(ranks: Ranks) -> Floats:
    """Average precision over the first R, the number of relevant items the query has: (q,). Its mean is mAP@R.

    (1 / R) sum_{i=1..R} P(i) rel(i)  (Musgrave, Belongie and Lim 2020, section 4.2; ECCV Caption, Chun et al. 2022).

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> average_precision_at_r(ranks_of([["a", "b", "c"]], [{"a", "c"}]))  # (1/1 + 0) / 2
    array([0.5])
    """
    return _average(ranks, ranks.counts, "relevant")


def _average(ranks: Ranks, cutoff: npt.NDArray[Any], over: Over) -> Floats:
    within = np.isfinite(ranks.rank) & (ranks.rank <= cutoff[ranks.query])
    total = ranks.total(within * ranks.place / ranks.rank)
    if over == "relevant":
        divisor = ranks.counts.astype(np.float64)
    elif over == "reachable":
        divisor = np.minimum(ranks.counts, cutoff).astype(np.float64)
    elif over == "found":
        divisor = ranks.total(within)
    else:
        raise ConfigError(f"over is {over!r}; choose 'relevant', 'reachable' or 'found'")
    return np.where(ranks.counts > 0, total / np.maximum(divisor, 1), np.nan)
