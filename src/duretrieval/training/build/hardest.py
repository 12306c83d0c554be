"""The pairs that a search will ask a score about: partners, and what the cosine takes for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from duretrieval.training.nets.score.pair_score import PairScore


def hardest(score: Any, rows: Tensor, candidates: Tensor, same: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Scores of anchors with their partners and with the `count` negatives of the largest cosine: (n, m), and `same`.

    All other pairs are said to belong together, so that a loss leaves them alone, and are not scored: a learned score
    costs count / m of what all pairs do.

    rows: (n, d).  candidates: (m, d), the first n the partners.  same: (n, m) bool.
    """
    with torch.no_grad():
        apart = (~same).fill_diagonal_(False)
        cosines = (rows @ candidates.T).masked_fill(~apart, -torch.inf)
        near = cosines.topk(min(count, len(candidates)), dim=1).indices
        chosen = torch.zeros_like(same).scatter_(1, near, True) & apart
        chosen.fill_diagonal_(True)
    i, j = chosen.nonzero(as_tuple=True)
    scored = score.pairs(rows[i], candidates[j]) if isinstance(score, PairScore) else score(rows, candidates)[i, j]
    return scored.new_zeros(same.shape).index_put((i, j), scored), ~chosen
