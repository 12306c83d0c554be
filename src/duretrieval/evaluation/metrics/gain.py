"""Normalised discounted cumulative gain: relevant items count more when they are more relevant and come earlier."""

from __future__ import annotations

from typing import Literal

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.evaluation.metrics.at_k import check_k
from duretrieval.evaluation.ranks import Ranks
from duretrieval.types import Floats, Ints

Gain = Literal["linear", "exponential"]


def ndcg(ranks: Ranks, k: int | None = None, gain: Gain = "linear") -> Floats:
    """DCG of the list over the DCG of the best possible list, over all of it or the first k: (q,), in [0, 1].

    DCG@k = sum over relevant items with rank r <= k of  G(g) / log2(1 + r)
    G(g) = g        `linear`: Järvelin and Kekäläinen 2002 with the discount of trec_eval (ndcg, ndcg_cut)
    G(g) = 2^g - 1  `exponential`: Burges et al. 2005, equation 1
    For yes-or-no relevance (g = 1) the two are the same. The best list has the gains in falling order, cut at k too.

    >>> from duretrieval.evaluation.ranks import ranks_of
    >>> ndcg(ranks_of([["b", "a"]], [{"a": 2, "b": 1}]))  # (1 + 2 / log2(3)) / (2 + 1 / log2(3))
    array([0.8597187])

    Raises:
        ConfigError: k is below 1, or `gain` is neither of the two.
    """
    if k is not None:
        check_k(k)
    if gain not in ("linear", "exponential"):
        raise ConfigError(f"gain is {gain!r}; choose 'linear' or 'exponential'")
    cutoff = np.inf if k is None else k
    worth = ranks.gain if gain == "linear" else np.exp2(ranks.gain) - 1
    best = np.lexsort((-worth, ranks.query))
    dcg = ranks.total(_discounted(worth, ranks.rank, cutoff))
    ideal = ranks.total(_discounted(worth[best], ranks.place, cutoff))
    return np.where(ranks.counts > 0, dcg / np.where(ideal > 0, ideal, 1), np.nan)


def _discounted(worth: Floats, rank: Floats | Ints, cutoff: float) -> Floats:
    return np.where(rank <= cutoff, worth / np.log2(1 + rank), 0.0)
