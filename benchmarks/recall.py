"""Recall and reciprocal rank of the first relevant result, and what chance would give."""

from __future__ import annotations

from math import comb

import numpy as np

KS = (1, 5, 10)
Figures = dict[str, float]


def measured(scores: np.ndarray, relevant: np.ndarray) -> Figures:
    """scores, relevant: (q, n), larger is better.  A tie counts against us.

    R@k: share of queries with a relevant result among the first k, in per cent.  MRR: mean of 1 / rank of the first.
    """
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    rank = 1 + ((scores >= best) & ~relevant).sum(axis=1)
    return _figures([np.mean(rank <= k) for k in KS], np.mean(1 / rank))


def by_chance(relevant: np.ndarray) -> Figures:
    """The expectation for a random order: with m relevant of n, P(rank <= k) = 1 - C(n - m, k) / C(n, k)."""
    n = relevant.shape[1]
    counts, times = np.unique(relevant.sum(axis=1), return_counts=True)
    within = np.zeros(n + 1)
    for m, share in zip(counts.tolist(), times / times.sum(), strict=True):
        within += share * np.array([1 - comb(n - m, k) / comb(n, k) for k in range(n + 1)])
    return _figures([within[k] for k in KS], np.sum(np.diff(within) / np.arange(1, n + 1)))


def _figures(recalls: list[float], reciprocal: float) -> Figures:
    return {f"R@{k}": round(100 * float(r), 1) for k, r in zip(KS, recalls, strict=True)} | {
        "MRR": round(float(reciprocal), 3)
    }
