"""Triplet: an anchor is closer to its partner than to a negative, by a margin.

    L = mean over (i, j) of max(0, D_ii - D_ij + m),   D Euclidean, j among the negatives of i

(Schroff, Kalenichenko and Philbin 2015, "FaceNet: a unified embedding for face recognition and clustering", eq. 2 and
section 3.2), with which negatives:

    all        every one
    hard       the closest
    semi-hard  the closest of those that are farther than the partner; where none is, the farthest of all

Unlike there, D is not squared, and the partner is the only positive of an anchor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.losses.distance import Scores, check_scores, distance
from duretrieval.training.losses.pairs import mean_where, read_pairs


@dataclass(frozen=True, slots=True)
class Triplet:
    """margin: m, a distance.  mining: which negatives.  scores: what they are.

    A note on numerics: with `hard`, all rows in one place is where an untrained model easily ends, at a loss of m;
    begin with `semi-hard` or `all`. An anchor without negatives counts 0.

    Raises:
        ConfigError: a margin not above 0, another mining, or other scores.
    """

    margin: float = 0.2
    mining: Literal["all", "hard", "semi-hard"] = "semi-hard"
    scores: Scores = "cosine"

    def __post_init__(self) -> None:
        if not 0 < self.margin < math.inf:
            raise ConfigError(f"margin is {self.margin:g}; it must be above 0")
        if self.mining not in ("all", "hard", "semi-hard"):
            raise ConfigError(f"mining is {self.mining!r}; it must be 'all', 'hard' or 'semi-hard'")
        check_scores(self.scores)

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        near, far = distance(pairs.partners, self.scores), distance(pairs.scores, self.scores)
        if self.mining == "all":
            return mean_where((near[:, None] - far + self.margin).clamp(min=0), pairs.negative)
        chosen = _closest(far, pairs.negative)
        if self.mining == "semi-hard":
            chosen = _semi_hard(near, far, pairs.negative)
        return (near - chosen + self.margin).clamp(min=0).mean()


def _closest(far: Tensor, among: Tensor) -> Tensor:
    """The smallest distance where the mask holds: (n, m) -> (n,), infinite where it holds nowhere."""
    return far.masked_fill(~among, math.inf).amin(dim=1)


def _semi_hard(near: Tensor, far: Tensor, negative: Tensor) -> Tensor:
    """The smallest distance to a negative above that to the partner; else the largest to a negative."""
    farther = negative & (far > near[:, None])
    farthest = far.masked_fill(~negative, -math.inf).amax(dim=1)
    chosen = torch.where(farther.any(dim=1), _closest(far, farther), farthest)
    return chosen.masked_fill(~negative.any(dim=1), math.inf)
