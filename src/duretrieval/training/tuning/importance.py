"""How much each setting of a search mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.types import Floats

BINS = 3
"""Groups of equal size into which numbers are cut."""
FEWEST = 6
"""Trials below which nothing can be said."""


def importance(settings: Sequence[Mapping[str, Any]], values: Sequence[float]) -> dict[str, float]:
    """setting -> share of the variance of the values' ranks that it alone explains, in [0, 1]; most first.

        epsilon^2 = (SS_between - (g - 1) MS_within) / SS_total

    over the g groups of trials with the same choice, or, for numbers, of its thirds (Kelley 1935, An unbiased
    correlation ratio measure; on ranks as in Kruskal & Wallis 1952).  Groups rather than a slope, because the best
    learning rate is in the middle; unbiased, so that chance alone gives 0 on average, and what is below is shown as
    0.  Effects of two settings together are not seen.  {} below `FEWEST` trials.

    importance([{"a": n // 4} for n in range(8)], range(8)) == {"a": 0.78} (rounded)
    """
    if len(values) < FEWEST:
        return {}
    ranks = _ranks(np.asarray(values, dtype=np.float64))
    names = list(dict.fromkeys(name for each in settings for name in each))
    found = {name: _explained([each.get(name) for each in settings], ranks) for name in names}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _explained(tried: Sequence[Any], ranks: Floats) -> float:
    total = float(((ranks - ranks.mean()) ** 2).sum())
    groups = [ranks[place] for place in _groups(tried)]
    free = len(ranks) - len(groups)
    if total == 0 or len(groups) < 2 or free < 1:
        return 0.0
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    return max(0.0, (total - within - (len(groups) - 1) * within / free) / total)


def _groups(tried: Sequence[Any]) -> list[npt.NDArray[np.int64]]:
    """Places of the trials of each group."""
    distinct = list(dict.fromkeys(map(repr, tried)))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in tried)
    if numbers and len(distinct) > BINS:
        return list(np.array_split(np.argsort(np.asarray(tried, dtype=float), kind="stable"), BINS))
    kinds = np.array([distinct.index(repr(v)) for v in tried])
    return [np.flatnonzero(kinds == kind) for kind in range(len(distinct))]


def _ranks(values: Floats) -> Floats:
    """0 for the smallest; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends: Floats = np.cumsum(counts).astype(np.float64)
    shared: Floats = (ends - (counts + 1) / 2)[place]
    return shared
