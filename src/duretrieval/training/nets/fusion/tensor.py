"""Every product of components, one of each modality."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.stacked import Stacked, start
from duretrieval.types import Modality

LARGEST = 2**25
"""Weights that a tensor fusion may have: 128 MiB."""


class TensorFusion(Stacked):
    """z = W vec([x_1; 1] ⊗ ... ⊗ [x_M; 1]) + b (Zadeh et al. 2017, "Tensor fusion network", section 4.2).

    The 1 keeps the products of fewer modalities, down to each alone; an absent one is [0; 1], so that what is left is
    the tensor fusion of the others. It has (width + 1)^M dim weights. The products begin with weight 0.

    Raises:
        ConfigError: as `Stacked`; or more weights than `LARGEST`.
    """

    def __init__(
        self, modalities: Sequence[Modality | str], width: int, dim: int | None = None, *, drop: float = 0.0
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        m = len(self.modalities)
        size = (width + 1) ** m
        if size * self.dim > LARGEST:
            raise ConfigError(
                f"tensor fusion of {m} modalities of width {width} has {size * self.dim:.2g} weights, more than "
                f"{LARGEST:.2g}; take 'low-rank', which has a few matrices instead, or 'tucker' with a small inner"
            )
        self.linear = nn.Linear(size, self.dim)
        with torch.no_grad():
            self.linear.bias.zero_()
            weight = self.linear.weight.zero_().view(self.dim, *[width + 1] * m)
            shared = start(width, self.dim) / m
            for i in range(m):
                alone: list[int | slice] = [width] * m  # the 1 of all others
                alone[i] = slice(0, width)
                weight[(slice(None), *alone)] = shared

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim)."""
        ones = torch.ones_like(rows[:, :, :1])
        first, *others = torch.cat([rows, ones], dim=2).unbind(dim=1)
        product = first
        for other in others:
            product = (product[:, :, None] * other[:, None, :]).flatten(start_dim=1)
        fused: Tensor = self.linear(product)
        return fused
