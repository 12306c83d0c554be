"""Recall at every k, with its interval, from where each query's first right answer came; and what chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.result import Pair
from duretrieval.evaluation.scoring import score_values
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Floats, Ints

LARGEST_K = 1000
RESAMPLES = 500
"""For bands, which are looked at and not read off to the third digit."""
FIRST_RANKS = ("median-rank", "mean-rank")
"""Metrics whose values per query are the rank of its first right answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Share of queries with a right answer among the first k (hit@k)."""

    k: Ints
    """(m,) rising."""
    value: Floats
    low: Floats
    high: Floats


def first_ranks(pair: Pair) -> Floats | None:
    """(q,) rank of each query's first right answer, inf where it was not found; None where that was not measured."""
    for score in pair.scores:
        if score.measure in FIRST_RANKS:
            return score.values
    return None


def curve(pair: Pair, level: float = 0.95, seed: int = 0) -> Curve | None:
    """The curve, its band as wide as `level` says; None where no rank was measured."""
    first = first_ranks(pair)
    if first is None or np.isnan(first).all():
        return None
    ks = cut_offs(pair.gallery_size)
    wanted = measures([f"hit@{k}" for k in ks])
    values = {m.name: np.where(np.isnan(first), np.nan, first <= k) for m, k in zip(wanted, ks, strict=True)}
    drawn = score_values(
        values,
        wanted,
        pair.query,
        pair.gallery,
        queries=pair.queries,
        gallery_size=pair.gallery_size,
        cluster=pair.cluster,
        fold=pair.fold,
        bootstrap=Bootstrap(RESAMPLES, level, seed),
    )
    value, low, high = (np.array([getattr(s, name) for s in drawn.scores]) for name in ("value", "low", "high"))
    return Curve(np.array(ks, dtype=np.int64), value, low, high)


def cut_offs(gallery: int) -> list[int]:
    """1 to 10, then about eight to a decade, up to the gallery or 1000.

    >>> cut_offs(20)
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 18, 20]
    """
    last = max(1, min(gallery, LARGEST_K))
    rising = {*range(1, 11), *(round(10 ** (1 + i / 8)) for i in range(17)), last}
    return sorted(k for k in rising if k <= last)


def chance(relevant: Ints, gallery: int, ks: Ints) -> Floats:
    """What a random order would give: the mean over queries of 1 - C(n - R, k) / C(n, k), (m,).

    relevant: (q,) R, the right answers each query has; queries without any do not count.

    >>> chance(np.array([1, 1]), 10, np.array([1, 5, 10])).round(3)
    array([0.1, 0.5, 1. ])
    """
    counts, many = np.unique(relevant[relevant > 0], return_counts=True)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, gallery + 1)))])  # log n!
    out = np.zeros(len(ks))
    for r, weight in zip(counts.tolist(), many.tolist(), strict=True):
        for i, k in enumerate(ks.tolist()):
            missed = 0.0
            if gallery - r >= k:  # (n - R)! (n - k)! / ((n - R - k)! n!)
                missed = np.exp(logs[gallery - r] + logs[gallery - k] - logs[gallery - r - k] - logs[gallery])
            out[i] += weight * (1 - missed)
    return out / max(int(many.sum()), 1)
