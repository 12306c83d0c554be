"""Smooth average precision: the metric itself, with a sigmoid for each comparison of two scores.

    L = 1 - 1/n sum_i AP_i,   AP_i = 1/|P_i| sum_{j in P_i} R(i, j, P_i) / R(i, j, all),
    R(i, j, X) = 1 + sum_{k in X, k != j} sigmoid((s_ik - s_ij) / t)

P_i every candidate that belongs to anchor i, the partner and others; R is the rank of j among X, smoothed (Brown, Xie,
Kalogeiton and Zisserman 2020, "Smooth-AP: smoothing the path towards large-scale image retrieval", eqs. 6 and 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.blocks import NUMBERS, in_blocks
from duretrieval.training.losses.pairs import read_pairs


@dataclass(frozen=True, slots=True)
class SmoothAp:
    """temperature: t, in units of the score; differences beyond a few t have no gradient.

    A note on numerics: the sigmoid takes any difference. Memory is that of (positive pairs, m) scores, in blocks.

    Raises:
        ConfigError: the temperature is not above 0.
    """

    pulls: ClassVar[bool] = True
    """What belongs together without being partners is not left alone."""
    temperature: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ConfigError(f"temperature is {self.temperature:g}; it must be above 0")

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        positive = ~pairs.negative
        n, m = positive.shape

        def precisions(where: Tensor) -> Tensor:
            """The smoothed precision at each of p positives (p, 2) of anchors and candidates: (p,)."""
            i, j = where.unbind(dim=1)
            above = torch.sigmoid((pairs.scores[i] - pairs.scores[i, j][:, None]) / self.temperature)
            above = above.scatter(1, j[:, None], 0.0)  # (p, m): how far candidate k is above j
            return (1 + (above * positive[i]).sum(dim=1)) / (1 + above.sum(dim=1))

        where = positive.nonzero()
        found = in_blocks(precisions, where, 4 * m, NUMBERS)
        total = found.new_zeros(n).index_add(0, where[:, 0], found)
        return 1 - (total / positive.sum(dim=1)).mean()
