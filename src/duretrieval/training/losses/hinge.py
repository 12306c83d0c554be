"""In-batch hinge: every negative stays a margin below the partner.

    sum:  L = 1/n sum_i sum_{j in N(i)} max(0, s_ij - s_ii + m)
    max:  L = 1/n sum_i max_{j in N(i)} max(0, s_ij - s_ii + m)

N(i) the negatives of i. The maximum is that of the hardest negative (Faghri et al. 2018, "VSE++: improving
visual-semantic embeddings with hard negatives", eqs. 5 and 6). Unlike there, anchors are averaged, not summed, so that
the batch size does not scale the learning rate, and pairs of one key are masked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.losses.pairs import read_pairs


@dataclass(frozen=True, slots=True)
class Hinge:
    """margin: m, in units of the score.  form: `sum` over the negatives, or the `max` of them.

    A note on numerics: linear in the scores, so nothing can overflow; `max` has a gradient for one negative an anchor
    and is slow to begin on an untrained model.

    Raises:
        ConfigError: a margin not above 0, or another form.
    """

    margin: float = 0.2
    form: Literal["sum", "max"] = "sum"

    def __post_init__(self) -> None:
        if not 0 < self.margin < math.inf:
            raise ConfigError(f"margin is {self.margin:g}; it must be above 0")
        if self.form not in ("sum", "max"):
            raise ConfigError(f"form is {self.form!r}; it must be 'sum' or 'max'")

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        violations = (pairs.scores - pairs.partners[:, None] + self.margin).clamp(min=0).where(pairs.negative, 0)
        per_anchor = violations.sum(dim=1) if self.form == "sum" else violations.amax(dim=1)
        return per_anchor.mean()
