"""Side by side, through a linear layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.training.nets.fusion.stacked import Stacked, start
from duretrieval.types import Modality


class Concatenation(Stacked):
    """z = W [x_1; ...; x_M] + b, with a learned row c_m in the place of a modality that is absent.

    A block of zeros would do as well for W, but leaves what one modality adds everywhere to b alone, right only where
    all are there. c_m begins at zero and moves only where rows are absent in training, so with complete rows it is the
    block of zeros.

    Raises:
        ConfigError: as `Stacked`.
    """

    def __init__(
        self, modalities: Sequence[Modality | str], width: int, dim: int | None = None, *, drop: float = 0.0
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        m = len(self.modalities)
        self.absent = nn.Parameter(torch.zeros(m, width))
        self.linear = nn.Linear(m * width, self.dim)
        with torch.no_grad():
            self.linear.weight.copy_(start(width, self.dim).repeat(1, m) / m)
            self.linear.bias.zero_()

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim)."""
        filled = torch.where(present[:, :, None], rows, self.absent)
        joined: Tensor = self.linear(filled.flatten(start_dim=1))
        return joined
