"""The weighted mean of cosines, one a modality, with weights that learn."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.training.nets.score.pair_score import PairScore, exact


class WeightedCosine(PairScore):
    """s(a, b) = sum_m w_m cos(a_m, b_m) / sum_m w_m, m the modalities on both sides.

    A row is one block a modality, side by side; a block of zeros is a modality that is absent. Rows with no modality in
    common score 0.

    blocks: name -> width, in order.  learned: whether w = exp(v) learns; all are 1 at first.

    Raises:
        ConfigError: no block, or one without width.
    """

    symmetric = True

    def __init__(self, blocks: Mapping[str, int], *, learned: bool = True) -> None:
        super().__init__()
        if not blocks or min(blocks.values()) < 1:
            raise ConfigError(
                f"blocks are {dict(blocks)}; name each part of a row with its width, such as blocks = {{ text = 256 }}"
            )
        self.blocks = dict(blocks)
        self.dim = sum(blocks.values())
        self.log_weights = nn.Parameter(torch.zeros(len(blocks)), requires_grad=learned)

    @property
    def weights(self) -> dict[str, float]:
        """The share of each block in a score to which all contribute; they sum to 1."""
        return dict(zip(self.blocks, self.log_weights.softmax(dim=0).tolist(), strict=True))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        self.check(a, b)
        with torch.autocast(a.device.type, enabled=False):
            (a, there_a), (b, there_b) = self._parts(a), self._parts(b)
            weights = self.log_weights.softmax(dim=0)
            sums = (a * weights[:, None]).flatten(1) @ b.flatten(1).T
            return _ratio(sums, (there_a * weights) @ there_b.T)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        (a, there_a), (b, there_b) = self._parts(a), self._parts(b)
        weights = self.log_weights.softmax(dim=0)
        return _ratio(((a * b).sum(dim=2) * weights).sum(dim=1), (there_a * there_b * weights).sum(dim=1))

    def _parts(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Blocks as unit rows, padded to one width, and which are there: (n, d) -> (n, blocks, widest), (n, blocks)."""
        widest = max(self.blocks.values())
        split = torch.split(exact(rows), list(self.blocks.values()), dim=1)
        parts = [nn.functional.pad(normalize(part, dim=1), (0, widest - part.shape[1])) for part in split]
        stacked = torch.stack(parts, dim=1)
        return stacked, (stacked != 0).any(dim=2).to(stacked.dtype)


def _ratio(sums: Tensor, weights: Tensor) -> Tensor:
    """sums / weights, 0 where the weights are 0."""
    return sums / weights.where(weights > 0, 1.0)
