"""Scores as a search has them: the cosine finds the candidates, a learned score puts these in order.

A model is chosen by what it will do in the engine (`rank.search`, `rank.scorer`), and a scorer of pairs that had to
look at every pair of the validation rows would take longer than the steps between two checks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from duretrieval.rank.search import RERANKED
from duretrieval.train.nets.score.pair_score import PairScore

QUERIES = 32
"""How many are scored at once."""


def rescored(score: Any, a: Tensor, b: Tensor, *, candidates: int = RERANKED) -> Tensor:
    """Scores (n, m) of queries a (n, d) and a gallery b (m, d), unit rows, whose order is that of a search.

    The `candidates` with the largest cosine to a query have their score; all others follow, in the order of the cosine.
    A score without `pairs`, or of no more rows than candidates, is that of all pairs.
    """
    if not isinstance(score, PairScore) or len(b) <= candidates:
        every: Tensor = score(a, b)
        return every
    cosines = a @ b.T
    best = cosines.topk(candidates, dim=1).indices
    blocks = zip(torch.split(a, QUERIES), torch.split(best, QUERIES), strict=True)
    found = torch.cat([_scores(score, rows, b[near]) for rows, near in blocks])
    below = cosines.clamp(-1, 1) - 2 + found.amin(dim=1, keepdim=True)
    return below.scatter(1, best, found)


def _scores(score: PairScore, queries: Tensor, gallery: Tensor) -> Tensor:
    """Queries (q, d), each with candidates of its own (q, c, d) -> (q, c)."""
    pairs = score.pairs(queries[:, None].expand_as(gallery).flatten(0, 1), gallery.flatten(0, 1))
    return pairs.view(gallery.shape[:2])
