"""Contrastive with a margin: partners to the same place, negatives at least m apart.

    L = 1/2 mean_i D_ii^2 + 1/2 mean_{(i, j) negative} max(0, m - D_ij)^2,   D Euclidean

(Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", eq. 4). Unlike there, the
two kinds of pairs are averaged apart, not summed together: a batch of n has n partners and about n² negatives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.losses.distance import Scores, check_scores, distance
from duretrieval.training.losses.pairs import mean_where, read_pairs


@dataclass(frozen=True, slots=True)
class Contrastive:
    """margin: m, a distance; unit rows are at most 2 apart, unrelated ones about 1.4.  scores: what they are.

    A note on numerics: the gradient by a cosine grows as 1 / D near D = 0 and is cut off at D = 0.001; that by the rows
    is bounded.

    Raises:
        ConfigError: a margin not above 0, or other scores.
    """

    margin: float = 1.0
    scores: Scores = "cosine"

    def __post_init__(self) -> None:
        if not 0 < self.margin < math.inf:
            raise ConfigError(f"margin is {self.margin:g}; it must be above 0")
        check_scores(self.scores)

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        near = distance(pairs.partners, self.scores) ** 2
        far = (self.margin - distance(pairs.scores, self.scores)).clamp(min=0) ** 2
        return near.mean() / 2 + mean_where(far, pairs.negative) / 2
