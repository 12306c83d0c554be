"""Is one run better than another, or were the queries kind to it? The paired sign-flip test.

Where there is no difference, a query's two values could as well be the other way round. So each query's difference
gets a random sign, again and again; p is how often that gives a difference as large as the real one (Fisher 1935,
section 21; Smucker, Allan and Carterette 2007 for retrieval).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from duretrieval.errors import EvaluationError, ShapeError
from duretrieval.evaluation.statistics.bootstrap import Statistic, check_paired, summary
from duretrieval.types import Floats, Ints

EXACT_UP_TO = 12
COLUMNS = 512


def permutation_test(
    a: Floats,
    b: Floats,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    statistic: Statistic = "mean",
    cluster: Ints | None = None,
    fold: Ints | None = None,
) -> float:
    """Two-sided p for values a and b, (q,) each, on the same queries; NaN is left out.

    p = (1 + #{|T*| >= |T|}) / (1 + resamples); exact, over all signs, where at most 12 queries differ in the mean.
    cluster: (q,) queries that are not independent change places together.

    >>> float(permutation_test(np.array([1.0, 1.0, 1.0, 1.0]), np.zeros(4)))  # 2 of 16 signs are as extreme
    0.125

    Raises:
        ShapeError: not the same queries.
        EvaluationError: a value is missing in one only, or is infinite where means are compared.
    """
    check_paired(a, b)
    there = ~np.isnan(a)
    if cluster is not None and len(cluster) != len(a):
        raise ShapeError(f"cluster has {len(cluster)} labels for {len(a)} queries; give one for each")
    unit = np.arange(len(a)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    if statistic == "median":
        return _by_swapping(a, b, unit, fold, resamples, seed)
    if np.isinf(a[there]).any() or np.isinf(b[there]).any():
        raise EvaluationError(
            "a mean with an infinite value cannot be compared: some run did not rank every relevant item; "
            "leave mean ranks out, or rank the whole gallery"
        )
    weight = _fold_weights(there, fold)
    sums = np.bincount(unit[there], weights=((a - b) * weight)[there]).astype(np.float64)
    return _by_signs(sums, resamples, seed)


def _fold_weights(there: np.ndarray, fold: Ints | None) -> Floats:
    """What a query counts in the mean over folds of the mean over queries."""
    if fold is None:
        return np.ones(len(there))
    sizes = np.bincount(np.unique(fold, return_inverse=True)[1], weights=there.astype(np.float64))
    return 1 / np.maximum(sizes, 1)[np.unique(fold, return_inverse=True)[1]]


def _by_signs(differences: Floats, resamples: int, seed: int) -> float:
    size, many = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    if not len(size):
        return 1.0
    real = abs(float(differences.sum()))
    enough = real - 1e-12 * max(1.0, float(size @ many))  # sums in another order may differ in the last bit
    if many.sum() <= EXACT_UP_TO:
        nonzero = differences[differences != 0]
        sums = np.array(list(product((-1.0, 1.0), repeat=len(nonzero)))) @ nonzero
        return float(np.mean(np.abs(sums) >= enough))
    rng = np.random.default_rng(seed)
    sums = np.zeros(resamples)
    # equal differences share one binomial draw: hits differ by one or not at all, so a column replaces thousands
    for at in range(0, len(size), COLUMNS):
        part = slice(at, at + COLUMNS)
        sums += (2.0 * rng.binomial(many[part], 0.5, (resamples, len(many[part]))) - many[part]) @ size[part]
    return float(1 + (np.abs(sums) >= enough).sum()) / (1 + resamples)


def _by_swapping(a: Floats, b: Floats, unit: Ints, fold: Ints | None, resamples: int, seed: int) -> float:
    def distance(one: Floats, other: Floats) -> float:
        x, y = summary(one, "median", fold), summary(other, "median", fold)
        return 0.0 if x == y else abs(x - y)

    rng = np.random.default_rng(seed)
    real, extreme = distance(a, b), 0
    for _ in range(resamples):
        swap = rng.integers(0, 2, int(unit.max(initial=-1)) + 1, dtype=np.int8)[unit] == 1
        extreme += distance(np.where(swap, b, a), np.where(swap, a, b)) >= real
    return float(1 + extreme) / (1 + resamples)
