"""Negative Euclidean distance."""

from __future__ import annotations

import torch
from torch import Tensor

from duretrieval.training.nets.score.pair_score import PairScore, exact

SMALLEST = 1e-6
"""Squared distances are taken to be at least this: the square root has no gradient at 0."""


class Euclidean(PairScore):
    """s(a, b) = -|a - b| = -sqrt(|a|² + |b|² - 2 a·b); on unit rows it ranks as cosine does.

    Losses that are written in distances take it with scores = "euclidean". Float32 in mixed precision too; a distance
    below 0.001 counts as 0.001.
    """

    symmetric = True

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m), below 0."""
        self.check(a, b)
        with torch.autocast(a.device.type, enabled=False):
            a, b = exact(a), exact(b)
            squared = (a * a).sum(dim=1)[:, None] + (b * b).sum(dim=1)[None, :] - 2 * (a @ b.T)
        return -squared.clamp(min=SMALLEST).sqrt()

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,), below 0."""
        return -((exact(a) - exact(b)) ** 2).sum(dim=1).clamp(min=SMALLEST).sqrt()
