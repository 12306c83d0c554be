"""How a learned score is mixed with the cosine and with known pairs: as it serves the validation rows best.

At each check, since the score learns on.  The shares are the same for all directions, of a few that are tried; of those
that do as well it is the smallest, so that what adds nothing leaves the cosine's order as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measure
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.metrics.summary import mean
from duretrieval.rank.nearest import RERANKED
from duretrieval.training.build.network import Network
from duretrieval.training.data.batches import Rows
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.types import Ints

SHARES = sorted(((w / 5, u / 5) for w in range(6) for u in range(6 - w)), key=sum)
"""Of the learned score and of known pairs."""
ASKED = 500
"""Rows of a direction that ask, at most."""
QUERIES = 64
"""How many are scored at once."""
SMALLEST = 1e-6
"""A deviation is taken to be at least this."""

Sides = tuple[Tensor, Tensor, Sequence[Ints]]
"""Rows that ask (q, d) and rows that are searched (n, d), unit and on the CPU, and of each that asks what is right."""


class Candidates:
    """The nearest of each query by cosine, and what the score, the cosine and known pairs say of each.

    a: (q, d) and b: (n, d) unit rows on the CPU.
    """

    def __init__(self, score: Mixed, a: Tensor, b: Tensor, candidates: int = RERANKED) -> None:
        with torch.inference_mode():
            self.every = a @ b.T
            self.cosines, self.near = self.every.topk(min(candidates, len(b)), dim=1)
            self.matched = score.matched(a, b).gather(1, self.near)
            blocks = [slice(at, at + QUERIES) for at in range(0, len(a), QUERIES)]
            self.learned = torch.cat([self._learned(score, a[at], b, self.near[at]) for at in blocks])

    @staticmethod
    def _learned(score: Mixed, a: Tensor, b: Tensor, near: Tensor) -> Tensor:
        asking = a.repeat_interleave(near.shape[1], dim=0)
        return score.score.pairs(asking, b[near.flatten()]).float().view(near.shape)

    def scales(self) -> list[float]:
        """The mean over queries of the deviation of each of the three."""
        return [float(x.std(dim=1).mean()) for x in (self.cosines, self.learned, self.matched)]

    def ranked(self, score: Mixed) -> Tensor:
        """(q, n): the candidates by the mixture, and behind them all others by cosine."""
        with torch.inference_mode():
            mixed = score.mixed(self.cosines, self.learned, self.matched)
            return (self.every + mixed.min(dim=1, keepdim=True).values - 3).scatter(1, self.near, mixed)


def choose_shares(
    score: Mixed, directions: Sequence[Sides], monitor: str, *, among: Sequence[tuple[float, float]] = SHARES
) -> None:
    """Weigh the score by the mean over directions of a metric, ranked as a search does it.

    monitor: the name of the metric.  among: shares of the learned score and of known pairs, the first of equals wins.
    """
    wanted = measure(monitor)
    sides = [
        (Candidates(score, a[:ASKED], b), relevant([r.tolist() for r in right[:ASKED]])) for a, b, right in directions
    ]
    if not sides:
        return
    c, d, e = (max(float(found), SMALLEST) for found in np.mean([found.scales() for found, _ in sides], axis=0))

    def figure(shares: tuple[float, float]) -> float:
        score.weigh(*shares, (c, d, e))
        values = [per_query({"": wanted.of}, found.ranked(score).numpy(), right)[""] for found, right in sides]
        return float(np.mean([mean(found) for found in values]))

    tried = [shares for shares in among if score.support or not shares[1]]
    figures = [figure(shares) for shares in tried]
    best = int(np.argmax(figures) if wanted.larger_is_better else np.argmin(figures))
    score.weigh(*tried[best], (c, d, e))


def remember_pairs(score: Mixed, network: Network, rows: Rows, device: torch.device) -> None:
    """Give the score pairs of training rows, as the network has them now, evenly over the rows."""
    there = torch.stack([_present(rows, columns) for columns in network.views.values()])
    paired = ((there.sum(dim=0) > 1) & rows.linked[: len(rows)]).nonzero().flatten()
    if not score.support or not len(paired):
        return
    at = torch.linspace(0, len(paired) - 1, min(score.support, len(paired))).round().long()
    was_training = network.training
    with torch.inference_mode():
        views = network.eval()(rows.plain()[paired[at].tolist()].to(device)).values()
    network.train(was_training)
    score.remember(torch.stack([view.rows.masked_fill(~view.present[:, None], 0) for view in views]))


def _present(rows: Rows, columns: Sequence[str]) -> Tensor:
    """(n,) bool: any of the columns."""
    found = [torch.from_numpy(rows.columns[name].present[: len(rows)]) for name in columns]
    return torch.stack(found).any(dim=0)
