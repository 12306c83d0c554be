"""Cosine, and the inner product, which is the cosine of unit rows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.training.nets.score.pair_score import PairScore, exact


class InnerProduct(PairScore):
    """s(a, b) = a·b. Float32 in mixed precision too."""

    symmetric = True

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        self.check(a, b)
        with torch.autocast(a.device.type, enabled=False):
            return exact(a) @ exact(b).T

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        return (exact(a) * exact(b)).sum(dim=1)


class Cosine(InnerProduct):
    """s(a, b) = a·b / (|a| |b|), in [-1, 1]; a zero row scores 0 with all."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        return super().forward(normalize(exact(a), dim=1), normalize(exact(b), dim=1))

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        return super().pairs(normalize(exact(a), dim=1), normalize(exact(b), dim=1))
