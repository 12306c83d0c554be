"""Recall and reciprocal rank of the first relevant result, and what chance would give."""

from __future__ import annotations

from math import comb

import numpy as np

from duretrieval.evaluation.labels.relevance import relevant as listed
from duretrieval.evaluation.metrics import hit_at_k, mean, reciprocal_rank
from duretrieval.evaluation.metrics.ranking import rank

KS = (1, 5, 10)
Figures = dict[str, float]


def measured(scores: np.ndarray, relevant: np.ndarray) -> Figures:
    """scores, relevant: (q, n), larger is better.  A tie counts against us; recalls are in per cent."""
    ranks = rank(scores, listed([np.flatnonzero(row).tolist() for row in relevant]), ties="worst")
    return _figures([mean(hit_at_k(ranks, k)) for k in KS], mean(reciprocal_rank(ranks)))


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
