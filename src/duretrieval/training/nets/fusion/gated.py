"""A weight for each modality and component, read from the rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.training.nets.fusion.per_modality import PerModality
from duretrieval.training.nets.fusion.stacked import Stacked, masked_softmax
from duretrieval.types import Modality


class Gated(Stacked):
    """The gated multimodal unit (Arevalo et al. 2017, "Gated multimodal units for information fusion", section 3).

        h_m = tanh(W_m x_m + b_m)        g_m = V_m [x_1; ...; x_M]        z = sum_m softmax_m(g_m) * h_m

    the softmax and the product component by component. For two modalities the softmax is the paper's sigmoid gate,
    z * h_v + (1 - z) * h_t. Unlike the paper's unit for more of them (independent sigmoids), the gates always sum to 1,
    so that the row does not shrink with every modality that is absent; of one alone it is h_m.

    Raises:
        ConfigError: as `Stacked`.
    """

    def __init__(
        self, modalities: Sequence[Modality | str], width: int, dim: int | None = None, *, drop: float = 0.0
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        m = len(self.modalities)
        self.hidden = PerModality(m, width, self.dim)
        self.gate = nn.Linear(m * width, m * self.dim, bias=False)
        nn.init.zeros_(self.gate.weight)

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim)."""
        gates = self.gate(rows.flatten(start_dim=1)).unflatten(1, (len(self.modalities), self.dim))
        gates = masked_softmax(gates, present[:, :, None], dim=1)
        return (gates * torch.tanh(self.hidden(rows))).sum(dim=1)
