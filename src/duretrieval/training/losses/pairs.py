"""What every loss of scores reads first: which pairs are partners, and which are negatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from duretrieval.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The scores of n anchors with m candidates, at least float32, told apart.

    Pairs that belong together without being partners are neither partners nor negative: they are false negatives
    (another caption of the same picture), and a loss leaves them alone.
    """

    scores: Tensor
    """(n, m)"""
    same: Tensor
    """(n, m) bool, whether a pair belongs together; what it says of partners does not count"""

    @property
    def partners(self) -> Tensor:
        """(n,), the score of each anchor with its partner."""
        return self.scores.diagonal()

    @property
    def negative(self) -> Tensor:
        """(n, m) bool."""
        return (~self.same).fill_diagonal_(False)

    @property
    def false_negative(self) -> Tensor:
        """(n, m) bool."""
        return self.same.clone().fill_diagonal_(False)


def read_pairs(scores: Tensor, same: Tensor) -> Pairs:
    """Scores (n, m) and same (n, m) bool as `Pairs`; the partner of anchor i is candidate i, whatever `same` says.

    Half precision becomes float32: a temperature multiplies its error by up to a hundred.

    Raises:
        ShapeError: no anchor, fewer candidates than anchors, or a mask of another shape or type.
    """
    if scores.ndim != 2 or not 0 < scores.shape[0] <= scores.shape[1]:
        raise ShapeError(
            f"expected scores (n, m) of n anchors with m >= n candidates, the first n their partners; "
            f"got {tuple(scores.shape)}"
        )
    if same.shape != scores.shape or same.dtype != torch.bool:
        raise ShapeError(
            f"expected a mask of booleans of the scores' shape {tuple(scores.shape)}; "
            f"got {tuple(same.shape)} of {same.dtype}. `same_key` makes one"
        )
    if scores.dtype in (torch.float16, torch.bfloat16):
        scores = scores.float()
    return Pairs(scores, same)


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of the values where the mask holds; 0 where it holds nowhere."""
    return values.where(mask, 0).sum() / mask.sum().clamp(min=1)
