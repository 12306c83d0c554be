"""A regulariser that makes the rows of two modalities indistinguishable, beside a loss that makes partners near."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from duretrieval.errors import ConfigError


class ModalityAdversary(nn.Module):
    """A classifier of modalities that learns, on rows that learn to mislead it: a loss of rows (a, b) -> scalar.

    mean cross-entropy of D(row) = side, where D's parameters go down its slope and the rows, through a gradient
    reversal, up: one scalar to make small does both (Wang et al. 2017, "Adversarial cross-modal retrieval", section 3;
    the reversal is that of Ganin & Lempitsky 2015, "Unsupervised domain adaptation by backpropagation", section 3.2).

    a, b: (n, dim) and (m, dim) rows of the two sides; with more than two views give each pair a term, and so a
    classifier, of its own.  reversal: what the rows' gradient is multiplied by, times -1.  ramp: batches over which it
    grows from 0, since a classifier that knows nothing yet misleads.  At its best the loss is log 2: nothing to tell.

    Raises:
        ConfigError: hidden or dim is less than 1, or reversal or ramp below 0.
    """

    reads: ClassVar[str] = "rows"
    steps: Tensor

    def __init__(self, dim: int, *, hidden: int = 64, reversal: float = 1.0, ramp: int = 500) -> None:
        super().__init__()
        if dim < 1 or hidden < 1:
            raise ConfigError(f"dim is {dim} and hidden is {hidden}; both must be at least 1")
        if reversal < 0 or ramp < 0:
            raise ConfigError(f"reversal is {reversal:g} and ramp is {ramp}; both must be 0 or more")
        self.scale = dim**0.5  # unit rows have components of about dim^-½
        self.classifier = nn.Sequential(nn.Linear(dim, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))
        self.reversal = reversal
        self.ramp = ramp
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """A scalar."""
        strength = self.reversal * min(1.0, float(self.steps) / self.ramp if self.ramp else 1.0)
        if self.training:
            self.steps += 1
        rows: Tensor = _Reversed.apply(torch.cat([a, b]), strength)  # type: ignore[no-untyped-call]
        logits = self.classifier(self.scale * rows)[:, 0]
        sides = torch.cat([torch.zeros(len(a)), torch.ones(len(b))]).to(logits)
        # Each side counts as much as the other, however many rows it has.
        weights = torch.where(sides > 0, 0.5 / max(len(b), 1), 0.5 / max(len(a), 1))
        loss: Tensor = torch.sum(weights * binary_cross_entropy_with_logits(logits, sides, reduction="none"))
        return loss


class _Reversed(torch.autograd.Function):
    """The rows as they are; their gradient times -strength."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grad, None
