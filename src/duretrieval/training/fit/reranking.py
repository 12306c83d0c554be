"""Scores as a search has them: the cosine finds the candidates, a learned score puts these in order.

A model is chosen by what it will do in the engine (`rank.search`, `rank.scorer`), and a scorer of pairs that had to
look at every pair of the validation rows would take longer than the steps between two checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from duretrieval.evaluation.metrics.blocks import Compared, Scores
from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.rank.nearest import RERANKED
from duretrieval.training.build.objective import inner
from duretrieval.training.fit.mixing import Candidates
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.nets.score.pair_score import PairScore
from duretrieval.types import Array


def reranked(score: Any, a: Tensor, b: Tensor, *, candidates: int = RERANKED) -> Scores:
    """Scores (n, m) of queries a (n, d) and a gallery b (m, d), unit rows on the CPU, ordered as a search orders them.

    The `candidates` with the largest cosine to a query have their score; all others follow (`Reranked`).  A score
    without `pairs`, or of no more rows than candidates, is that of all pairs.  Computed where it is asked for.
    """
    if isinstance(score, Mixed):
        return Candidates(score, a, b, candidates).ranked(score)
    if isinstance(score, PairScore) and len(b) > candidates:
        return Reranked(a.numpy(), b.numpy(), _of_arrays(score.pairs), candidates)
    return Compared(a.numpy(), b.numpy(), np.inner if score is inner else _of_arrays(score))


def _of_arrays(score: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Array, Array], Array]:
    def scores(a: Array, b: Array, /) -> Array:
        with torch.inference_mode():
            found: Array = score(torch.from_numpy(a), torch.from_numpy(b)).float().numpy()
        return found

    return scores
