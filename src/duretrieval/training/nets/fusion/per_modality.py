"""A linear layer for each modality, at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duretrieval.training.nets.fusion.stacked import start


class PerModality(nn.Module):
    """y_m = W_m x_m + b_m: (b, m, width) -> (b, m, dim). All W_m begin as the same `start`, all b_m at 0."""

    def __init__(self, modalities: int, width: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(start(width, dim).repeat(modalities, 1, 1))
        self.bias = nn.Parameter(torch.zeros(modalities, dim))

    def forward(self, rows: Tensor) -> Tensor:
        """(b, m, width) -> (b, m, dim)."""
        return torch.einsum("bmw,mdw->bmd", rows, self.weight) + self.bias
