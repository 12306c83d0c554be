"""One weight for the similarity of each modality, read from the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.training.nets.fusion.stacked import modalities_named, stack
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality


class LateAttention(nn.Module):
    """s(q, i) = sum_m a_m q · x_im with a_m = softmax_m(v_m · q + b_m), over the modalities m that item i has.

    Items keep their vectors and only the similarities are fused, as in the mixture of embedding experts (Miech, Laptev
    & Sivic 2018, "Learning a text-video embedding from incomplete and heterogeneous data", section 3). Unlike the
    paper, a query has one vector for all modalities, because they share a space. v and b begin at 0: the mean.

    Raises:
        ConfigError: no modality, one twice, or one that there is not.
    """

    def __init__(self, modalities: Sequence[Modality | str], width: int) -> None:
        super().__init__()
        self.modalities = modalities_named(modalities)
        self.width = width
        self.logits = nn.Linear(width, len(self.modalities))
        nn.init.zeros_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def forward(
        self,
        queries: Tensor,
        rows: Mapping[Modality, Tensor],
        present: Mapping[Modality, Tensor] | None = None,
        /,
    ) -> Tensor:
        """queries (q, width); modality -> (n, width), modality -> (n,) bool; scores (q, n), 0 where nothing is there.

        Raises:
            ShapeError, ConfigError: as `stacked.stack`.
        """
        stacked, there = stack(rows, present, self.modalities, self.width)
        stacked = stacked.masked_fill(~there[:, :, None], 0.0)
        shares = self.logits(queries).softmax(dim=1)[:, None, :] * there  # (q, n, m)
        similarities = torch.einsum("qd,nmd->qnm", queries, stacked)
        total = shares.sum(dim=2)
        scores: Tensor = (shares * similarities).sum(dim=2) / total.masked_fill(total == 0, 1.0)
        return scores

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx: queries (n, width) float32 -> the weights of the modalities, (n, m), which sum to 1.

        Returns what `duretrieval.fuse.weights.OnnxWeights` loads.
        """
        weights = nn.Sequential(self.logits, nn.Softmax(dim=1)).train(self.training)
        to_onnx(weights, Path(folder) / f"{name}.onnx", {"queries": torch.rand(2, self.width)}, output="weights")
        return {"file": f"{name}.onnx", "modalities": [modality.value for modality in self.modalities]}
