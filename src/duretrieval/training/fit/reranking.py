"""Scores as a search has them: the cosine finds the candidates, a learned score puts these in order.

A model is chosen by what it will do in the engine (`rank.search`, `rank.scorer`), and a scorer of pairs that had to
look at every pair of the validation rows would take longer than the steps between two checks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.rank.nearest import RERANKED
from duretrieval.training.fit.mixing import Candidates
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.nets.score.pair_score import PairScore
from duretrieval.types import Array


def reranked(score: Any, a: Tensor, b: Tensor, *, candidates: int = RERANKED) -> Tensor:
    """Scores (n, m) of queries a (n, d) and a gallery b (m, d), unit rows on the CPU, ordered as a search orders them.

    The `candidates` with the largest cosine to a query have their score; all others follow (`evaluate.reranked`).  A
    score without `pairs`, or of no more rows than candidates, is that of all pairs.
    """
    if isinstance(score, Mixed):
        return Candidates(score, a, b, candidates).ranked(score)
    if not isinstance(score, PairScore) or len(b) <= candidates:
        every: Tensor = score(a, b)
        return every

    def pairs(x: Array, y: Array, /) -> Array:
        with torch.inference_mode():
            found: Array = score.pairs(torch.from_numpy(x), torch.from_numpy(y)).numpy()
        return found

    return torch.from_numpy(Reranked(a.numpy(), b.numpy(), pairs, candidates)[0 : len(a)])
