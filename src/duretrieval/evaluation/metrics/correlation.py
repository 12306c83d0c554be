"""How far similarities follow the scores that people gave: what STS tasks report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from duretrieval.types import Floats

Numbers = npt.NDArray[np.floating]


def pearson(given: Numbers, scores: Numbers) -> float:
    """The linear correlation of two lists (n,), in [-1, 1]; NaN where one is constant or there are fewer than two.

    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.5, 1.0]))
    1.0
    """
    if len(given) < 2 or np.ptp(given) == 0 or np.ptp(scores) == 0:
        return float("nan")
    x, y = (np.asarray(values, dtype=np.float64) - np.mean(values, dtype=np.float64) for values in (given, scores))
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def spearman(given: Numbers, scores: Numbers) -> float:
    """The correlation of their ranks, equal numbers having the mean of theirs: whether their order agrees.

    >>> spearman(np.array([1.0, 2.0, 9.0]), np.array([0.0, 0.1, 0.2]))
    1.0
    """
    return pearson(_ranks(given), _ranks(scores))


def _ranks(values: Numbers) -> Floats:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts).astype(np.float64)
    ranks: Floats = (last - (counts - 1) / 2)[which]
    return ranks


CORRELATIONS: Mapping[str, Callable[[Numbers, Numbers], float]] = {"spearman": spearman, "pearson": pearson}
"""By name."""


def correlations(given: Numbers, scores: Numbers) -> dict[str, float]:
    """All of them; none where they cannot be said, as of constants."""
    found = {name: of(given, scores) for name, of in CORRELATIONS.items()}
    return {name: value for name, value in found.items() if not np.isnan(value)}
