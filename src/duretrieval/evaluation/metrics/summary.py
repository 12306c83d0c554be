"""From values per query to the number a paper prints. Queries with NaN, those without relevant items, are left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from duretrieval.types import Floats


def mean(values: Floats) -> float:
    """The mean over queries: mAP from average precisions, MRR from reciprocal ranks, MeanR from first ranks.

    inf where a first rank is inf; NaN where there is nothing to average.

    >>> mean(np.array([1.0, 0.5, np.nan]))
    0.75
    """
    counted = values[~np.isnan(values)]
    return float(np.mean(counted)) if len(counted) else float("nan")


def median(values: Floats) -> float:
    """The median over queries: MedR from first ranks.

    The middle value, or the mean of the two middle ones. Unlike us, VSE++'s evaluation code rounds that mean down:
    `math.floor(median(...))` gives its number.

    >>> median(np.array([1.0, 2.0, 8.0, 9.0, np.nan]))
    5.0
    """
    counted = np.sort(values[~np.isnan(values)])
    if not len(counted):
        return float("nan")
    low, high = counted[(len(counted) - 1) // 2], counted[len(counted) // 2]
    return float(low if low == high else (low + high) / 2)


def rsum(recalls: Iterable[float]) -> float:
    """The sum of R@1, R@5 and R@10 in both directions, in percent: at most 600 (SCAN, Lee et al. 2018, and after).

    >>> rsum([0.5, 0.75, 1.0, 0.25, 0.5, 1.0])
    400.0
    """
    return float(100 * sum(recalls))
