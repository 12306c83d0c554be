"""One weight a modality."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.stacked import Stacked, check_same, masked_softmax
from duretrieval.types import Modality


class WeightedSum(Stacked):
    """z = sum_m w_m x_m / sum_m w_m over the modalities that are there; for two, a v_t + (1 - a) v_i.

    weights: modality -> its share beside the others, above 0; one that is left out has 1.  learned: whether training
    changes them; they are exp(logits), so that they stay above 0.  One row alone comes out as it is.

    Raises:
        ConfigError: as `Stacked`; a weight that is not above 0, or of another modality; another dim than `width`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        learned: bool = True,
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        check_same(width, dim, "a weighted sum")
        given = dict(weights or {})
        for name, weight in given.items():
            if name not in self.modalities or not 0 < weight < math.inf:
                raise ConfigError(
                    f"the weight of {str(name)!r} is {weight:g}; give a number above 0 for one of "
                    f"{', '.join(self.modalities)}, or leave a modality out of the fusion"
                )
        logits = torch.tensor([math.log(given.get(m, 1.0)) for m in self.modalities])
        self.logits = nn.Parameter(logits, requires_grad=learned)

    @property
    def weights(self) -> dict[Modality, float]:
        """modality -> its share where all are there; they sum to 1."""
        return dict(zip(self.modalities, self.logits.detach().softmax(dim=0).tolist(), strict=True))

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, width)."""
        weights = masked_softmax(self.logits.expand(present.shape), present)
        return (weights[:, :, None] * rows).sum(dim=1)
