"""Every product of components of small projections."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.low_rank import LowRank
from duretrieval.training.nets.fusion.per_modality import PerModality
from duretrieval.training.nets.fusion.stacked import Stacked, start
from duretrieval.training.nets.fusion.tensor import TensorFusion
from duretrieval.types import Modality


class Tucker(Stacked):
    """z = W_o core(tanh(W_1 x_1), ..., tanh(W_M x_M)), W_m down to `inner` components (Ben-younes et al. 2017, "MUTAN:
    multimodal Tucker fusion for visual question answering", section 3).

    rank: of the core tensor, as a `LowRank` (the paper's structured sparsity); 0 is the whole core, as a
    `TensorFusion`. Unlike the paper, whose core has the products of all modalities only, both append a 1, so that a
    modality may be absent.

    Raises:
        ConfigError: as `Stacked`, and as the core; an `inner` that is not between 1 and `width`; a rank below 0.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        inner: int = 64,
        rank: int = 8,
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        if not 1 <= inner <= width or rank < 0:
            raise ConfigError(
                f"inner is {inner} and rank {rank}; give an inner of 1 to {width}, and a rank of 0 or more"
            )
        self.down = PerModality(len(self.modalities), width, inner)
        self.core = LowRank(modalities, inner, rank=rank) if rank else TensorFusion(modalities, inner)
        self.up = nn.Linear(inner, self.dim)
        with torch.no_grad():
            self.up.weight.copy_(self.down.weight[0].T if self.dim == width else start(inner, self.dim))
            self.up.bias.zero_()

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim)."""
        fused: Tensor = self.up(self.core.fuse(torch.tanh(self.down(rows)), present))
        return fused
