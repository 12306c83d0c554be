"""How far a figure would move with other queries of the same kind: resampling queries with replacement.

Efron and Tibshirani 1993, chapters 12 and 13 (percentile interval); Koehn 2004 for the paired difference. Queries that
share an item, such as the five captions of one picture, are not independent: give them one cluster and they are drawn
together. Folds are resampled one by one and averaged, as the figure is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.evaluation.metrics.summary import mean, median
from duretrieval.types import Floats, Ints

Statistic = Literal["mean", "median"]
SUMMARY = {"mean": mean, "median": median}


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How to resample; the same settings give the same figures."""

    resamples: int = 2000
    level: float = 0.95
    """Share of intervals that hold the true value."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise ConfigError(f"resamples is {self.resamples}; give at least 1, better 1000 or more")
        if not 0 < self.level < 1:
            raise ConfigError(f"level is {self.level}; give a share between 0 and 1, such as 0.95")


class Interval(NamedTuple):
    """Where the true value lies, at the level that was asked."""

    low: float
    high: float


class Comparison(NamedTuple):
    """The first minus the second, how sure, and how likely so large a difference is where there is none."""

    difference: float
    low: float
    high: float
    p: float


def intervals(
    values: Floats,
    statistics: Sequence[Statistic],
    settings: Bootstrap | None = None,
    *,
    cluster: Ints | None = None,
    fold: Ints | None = None,
) -> list[Interval]:
    """An interval for the mean or median of each column of values (q, m); NaN is left out.

    cluster, fold: (q,) labels. A column that has one value throughout gives an interval of no width: the sample says
    nothing of what it never saw (`scoring` widens that for shares).

    >>> intervals(np.array([[0.0], [1.0]] * 50), ["mean"])
    [Interval(low=0.4, high=0.6)]

    Raises:
        ShapeError: labels or statistics do not fit the values.
    """
    settings = settings or Bootstrap()
    drawn = replicates(values, statistics, settings, cluster=cluster, fold=fold)
    tail = (1 - settings.level) / 2
    return [_between(column, tail) for column in drawn.T]


def paired_bootstrap(
    a: Floats,
    b: Floats,
    settings: Bootstrap | None = None,
    *,
    statistic: Statistic = "mean",
    cluster: Ints | None = None,
    fold: Ints | None = None,
) -> Comparison:
    """Statistic of a minus that of b, (q,) each on the same queries, with its interval and a two-sided p.

    p = 2 min(P(d* <= 0), P(d* >= 0)), with one added to counts so that it is never 0.

    >>> paired_bootstrap(np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])).difference
    0.25

    Raises:
        ShapeError: not the same queries.
        EvaluationError: a value is missing in one and not in the other.
    """
    settings = settings or Bootstrap()
    check_paired(a, b)
    both = np.stack([a, b], axis=1)
    drawn = replicates(both, [statistic, statistic], settings, cluster=cluster, fold=fold)
    with np.errstate(invalid="ignore"):
        difference = np.where(drawn[:, 0] == drawn[:, 1], 0.0, drawn[:, 0] - drawn[:, 1])
    sided = min((difference <= 0).sum(), (difference >= 0).sum())
    low, high = _between(difference, (1 - settings.level) / 2)
    real = summary(a, statistic, fold) - summary(b, statistic, fold)
    return Comparison(real, low, high, min(1.0, 2 * float(sided + 1) / (settings.resamples + 1)))


def summary(values: Floats, statistic: Statistic, fold: Ints | None = None) -> float:
    """The mean or median of values (q,); with folds, the mean of each fold's.

    >>> summary(np.array([1.0, 2.0, 9.0, 3.0]), "median", np.array([0, 0, 0, 1]))
    2.5
    """
    parts = [values] if fold is None else [values[fold == which] for which in np.unique(fold)]
    return float(np.mean([SUMMARY[statistic](part) for part in parts]))


def replicates(
    values: Floats,
    statistics: Sequence[Statistic],
    settings: Bootstrap,
    *,
    cluster: Ints | None = None,
    fold: Ints | None = None,
) -> Floats:
    """The statistics of values (q, m) on resampled queries: (resamples, m). All columns see the same draws."""
    q = len(values)
    if values.ndim != 2 or len(statistics) != values.shape[1]:
        raise ShapeError(f"values of shape {values.shape} need one statistic for each column; got {len(statistics)}")
    for name, labels in (("cluster", cluster), ("fold", fold)):
        if labels is not None and len(labels) != q:
            raise ShapeError(f"{name} has {len(labels)} labels for {q} queries; give one for each")
    rng = np.random.default_rng(settings.seed)
    parts = [np.arange(q)] if fold is None else [np.flatnonzero(fold == which) for which in np.unique(fold)]
    total = np.zeros((settings.resamples, len(statistics)))
    for rows in parts:
        total += _of_fold(values[rows], statistics, None if cluster is None else cluster[rows], settings, rng)
    return total / len(parts)


def check_paired(a: Floats, b: Floats) -> None:
    """Refuse values that are not of the same queries.

    Raises:
        ShapeError: not one value each for the same queries.
        EvaluationError: a value is missing in one and not in the other.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise ShapeError(f"paired values must be two of shape (q,); got {a.shape} and {b.shape}")
    missing = np.flatnonzero(np.isnan(a) != np.isnan(b))
    if len(missing):
        raise EvaluationError(
            f"query {missing[0]} has a value in one run only: the runs were judged by different labels; "
            "evaluate both with the same"
        )


def _of_fold(
    values: Floats, statistics: Sequence[Statistic], cluster: Ints | None, settings: Bootstrap, rng: np.random.Generator
) -> Floats:
    unit = np.arange(len(values)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    columns = [
        _Means(column, unit) if statistic == "mean" else _Medians(column, unit)
        for column, statistic in zip(values.T, statistics, strict=True)
    ]
    out = np.full((settings.resamples, len(columns)), np.nan)
    if not len(values):
        return out
    for i, counts in enumerate(_draws(int(unit.max()) + 1, settings.resamples, rng)):
        out[i] = [column(counts) for column in columns]
    return out


def _draws(units: int, resamples: int, rng: np.random.Generator) -> Iterator[Ints]:
    """How often each unit is drawn, (units,), again and again."""
    for _ in range(resamples):
        yield np.bincount(rng.integers(0, units, units), minlength=units)


class _Means:
    """The mean of a column from how often each unit was drawn: sums per unit, once."""

    def __init__(self, column: Floats, unit: Ints) -> None:
        there, endless = ~np.isnan(column), np.isinf(column)
        finite = np.where(there & ~endless, column, 0.0)
        self.sums = np.bincount(unit, weights=finite)
        self.sizes = np.bincount(unit, weights=there.astype(np.float64))
        self.endless = np.bincount(unit, weights=endless.astype(np.float64)) if endless.any() else None

    def __call__(self, counts: Ints) -> float:
        size = counts @ self.sizes
        if self.endless is not None and counts @ self.endless > 0:
            return float("inf")
        return float(counts @ self.sums / size) if size else float("nan")


class _Medians:
    """The median of a column from how often each unit was drawn: sorted once."""

    def __init__(self, column: Floats, unit: Ints) -> None:
        there = np.flatnonzero(~np.isnan(column))
        order = there[np.argsort(column[there])]
        self.values, self.unit = column[order], unit[order]

    def __call__(self, counts: Ints) -> float:
        upto = np.cumsum(counts[self.unit])
        if not len(upto) or not upto[-1]:
            return float("nan")
        low, high = self.values[np.searchsorted(upto, [(upto[-1] + 1) // 2, upto[-1] // 2 + 1])]
        return float(low if low == high else (low + high) / 2)


def _between(column: Floats, tail: float) -> Interval:
    known = column[~np.isnan(column)]
    if not len(known):
        return Interval(float("nan"), float("nan"))
    return Interval(
        float(np.quantile(known, tail, method="lower")), float(np.quantile(known, 1 - tail, method="higher"))
    )
