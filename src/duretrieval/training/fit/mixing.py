"""How a learned score is mixed with the cosine and with known pairs: as it serves the validation rows best.

At each check, since the score learns on.  The shares are the same for all directions, of a few that are tried; of those
that do as well it is the smallest, so that what adds nothing leaves the cosine's order as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from duretrieval.evaluation.labels.relevance import Relevance
from duretrieval.evaluation.measures import measure
from duretrieval.evaluation.metrics.blocks import Scores
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.evaluation.metrics.summary import mean
from duretrieval.rank.nearest import RERANKED
from duretrieval.training.nets.score.mixed import Mixed, agreement

SHARES = sorted(((w / 5, u / 5) for w in range(6) for u in range(6 - w)), key=sum)
"""Of the learned score and of known pairs."""
ASKED = 500
"""Rows of a direction that ask, at most."""
QUERIES = 64
"""How many are scored at once."""
PROFILES = 1024
"""How many rows are compared with the known pairs at once."""
SMALLEST = 1e-6
"""A deviation is taken to be at least this."""

Sides = tuple[Tensor, Tensor, Relevance]
"""Rows that ask (q, d) and rows that are searched (n, d), unit and on the CPU, and of each that asks what is right."""


class Candidates:
    """The nearest of each query by cosine, and what the score, the cosine and known pairs say of each.

    a: (q, d) and b: (n, d) unit rows on the CPU.
    """

    def __init__(self, score: Mixed, a: Tensor, b: Tensor, candidates: int = RERANKED) -> None:
        self.a, self.b = a, b
        with torch.inference_mode():
            known = torch.cat([score.profiles(some) for some in torch.split(b, PROFILES)])
            found = [_nearest(score, some, b, known, min(candidates, len(b))) for some in torch.split(a, QUERIES)]
        self.near, self.cosines, self.learned, self.matched = (torch.cat(held) for held in zip(*found, strict=True))

    def scales(self) -> list[float]:
        """The mean over queries of the deviation of each of the three."""
        return [float(x.std(dim=1).mean()) for x in (self.cosines, self.learned, self.matched)]

    def ranked(self, score: Mixed) -> Scores:
        """(q, n): the candidates by the mixture, and behind them all others by cosine."""
        with torch.inference_mode():
            mixed = score.mixed(self.cosines, self.learned, self.matched)
        return Reranked.of(self.a.numpy(), self.b.numpy(), self.near.numpy(), mixed.numpy())


def _nearest(score: Mixed, a: Tensor, b: Tensor, known: Tensor, count: int) -> tuple[Tensor, ...]:
    """Places of the candidates of queries (q, d), their cosines, learned scores and known pairs' words: (q, count)."""
    cosines, near = (a @ b.T).sort(dim=1, descending=True, stable=True)
    cosines, near = cosines[:, :count], near[:, :count]
    asking = a.repeat_interleave(count, dim=0)
    learned = score.score.pairs(asking, b[near.flatten()]).float().view(near.shape)
    both = torch.einsum("qs,qcs->qc", score.profiles(a), known[near])
    return near, cosines, learned, agreement(both)


def choose_shares(
    score: Mixed, directions: Sequence[Sides], monitor: str, *, among: Sequence[tuple[float, float]] = SHARES
) -> None:
    """Weigh the score by the mean over directions of a metric, ranked as a search does it.

    monitor: the name of the metric.  among: shares of the learned score and of known pairs, the first of equals wins.
    """
    wanted = measure(monitor)
    sides = [(Candidates(score, a[:ASKED], b), right.rows(0, min(ASKED, len(right)))) for a, b, right in directions]
    if not sides:
        return
    c, d, e = (max(float(found), SMALLEST) for found in np.mean([found.scales() for found, _ in sides], axis=0))

    def figure(shares: tuple[float, float]) -> float:
        score.weigh(*shares, (c, d, e))
        values = [per_query({"": wanted.of}, found.ranked(score), right)[""] for found, right in sides]
        return float(np.mean([mean(found) for found in values]))

    tried = [shares for shares in among if score.support or not shares[1]]
    figures = [figure(shares) for shares in tried]
    best = int(np.argmax(figures) if wanted.larger_is_better else np.argmin(figures))
    score.weigh(*tried[best], (c, d, e))
