"""The largest of each component."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from duretrieval.training.nets.fusion.stacked import Stacked, check_same
from duretrieval.types import Modality


class Maximum(Stacked):
    """z_d = max_m x_md over the modalities that are there; nothing is learned, and one row alone comes out as it is.

    It reads a component as the strength of a feature, and so fits spaces where larger means more of it (after a ReLU,
    class scores). In a space centred at 0 the maxima of opposite rows keep little of either.

    Raises:
        ConfigError: as `Stacked`; another dim than `width`.
    """

    def __init__(
        self, modalities: Sequence[Modality | str], width: int, dim: int | None = None, *, drop: float = 0.0
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        check_same(width, dim, "a maximum")

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, width)."""
        return rows.masked_fill(~present[:, :, None], torch.finfo(rows.dtype).min).amax(dim=1)
