"""Every product of components, as a sum of a few products of projections."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.stacked import Stacked, start
from duretrieval.types import Modality


class LowRank(Stacked):
    """z = sum_r prod_m (W_rm x_m + c_rm) + b, the product by component (Liu et al. 2018, "Efficient low-rank multimodal
    fusion with modality-specific factors", section 3.2).

    It is tensor fusion whose weights are the sum of `rank` outer products of [W_rm, c_rm]: rank M (width + 1) dim
    weights instead of (width + 1)^M dim. An absent modality leaves its c_rm.

    Unlike the paper, where everything begins at random: c_rm begins at 1 and b at -rank, so that
    prod_m (1 + l_m) - 1 = sum_m l_m + products of small numbers, the mean of the rows and a little of their products.

    Raises:
        ConfigError: as `Stacked`; a rank below 1.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        rank: int = 4,
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        if rank < 1:
            raise ConfigError(f"rank is {rank}; give 1 or more")
        m = len(self.modalities)
        noise = torch.randn(rank, m, self.dim, width) / math.sqrt(width)
        noise -= noise.mean(dim=0)  # the ranks begin apart, yet their sum is `start`
        self.weight = nn.Parameter((start(width, self.dim) + noise) / (rank * m))
        self.constant = nn.Parameter(torch.ones(rank, m, self.dim))
        self.bias = nn.Parameter(torch.full((self.dim,), -float(rank)))

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim)."""
        factors = torch.einsum("bmw,rmdw->brmd", rows, self.weight) + self.constant
        return factors.prod(dim=2).sum(dim=1) + self.bias
