"""InfoNCE: find the partner among all candidates.

    L = -1/n sum_i log( exp(s_ii / t) / (exp(s_ii / t) + sum_{j in N(i)} exp(s_ij / t)) ),   N(i) the negatives of i

(van den Oord, Li and Vinyals 2018, "Representation learning with contrastive predictive coding", eq. 4), with the
temperature t = exp(-w) learned and 1 / t kept at 100 or below, as in CLIP (Radford et al. 2021, "Learning transferable
visual models from natural language supervision", section 2.5). Unlike CLIP, pairs of one key are masked.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from duretrieval.errors import ConfigError
from duretrieval.training.losses.pairs import read_pairs


class InfoNce(nn.Module):
    """Cross-entropy of the partner among the candidates.

    temperature: t at first.  learned: whether t learns.  max_scale: the largest 1 / t.

    A note on numerics: log-sum-exp takes any score. The bound is put on the weight itself, before it is used: a bound
    on exp(w) alone has no gradient beyond it, and a weight that a step carried there would never come back.

    Raises:
        ConfigError: the temperature is not above 0, or below 1 / max_scale.
    """

    def __init__(self, temperature: float = 0.07, *, learned: bool = True, max_scale: float = 100.0) -> None:
        super().__init__()
        if not (0 < temperature < math.inf and 0 < max_scale < math.inf) or 1 / temperature > max_scale * (1 + 1e-9):
            raise ConfigError(
                f"temperature is {temperature:g} and max_scale {max_scale:g}; the temperature must be at least "
                "1 / max_scale, and both above 0"
            )
        self.max_scale = max_scale
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learned)

    @property
    def temperature(self) -> float:
        """t as it is now."""
        return math.exp(-self.log_scale.item())

    def forward(self, scores: Tensor, same: Tensor) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        self.log_scale.data.clamp_(max=math.log(self.max_scale))
        logits = (pairs.scores * self.log_scale.exp()).masked_fill_(pairs.false_negative, -math.inf)
        return cross_entropy(logits, torch.arange(len(logits), device=scores.device))
