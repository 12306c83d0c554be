"""Pairwise sigmoid: every pair on its own, partners or not.

    L = -1/n sum_ij log sigmoid(z_ij (t s_ij + b)),   z_ij = 1 for partners, -1 for negatives, 0 (left out) for others

(Zhai et al. 2023, "Sigmoid loss for language image pre-training", algorithm 1), t = exp(w) and b learned. Nothing is
normalised over the batch, so small batches lose less than with InfoNCE. Unlike there, pairs of one key are left out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from duretrieval.errors import ConfigError
from duretrieval.training.losses.pairs import read_pairs


class PairwiseSigmoid(nn.Module):
    """Logistic regression on the scores of all pairs.

    scale, bias: t and b at first; the bias begins where a pair is nearly always no partner, as nearly all pairs are.
    learned: whether they learn.

    A note on numerics: -log sigmoid(x) = softplus(-x), linear for large scores. w is kept at log 1000 or below.

    Raises:
        ConfigError: the scale is not above 0 and at most 1000, or the bias is not finite.
    """

    def __init__(self, scale: float = 10.0, bias: float = -10.0, *, learned: bool = True) -> None:
        super().__init__()
        if not 0 < scale <= LARGEST or not math.isfinite(bias):
            raise ConfigError(
                f"scale is {scale:g} and bias {bias:g}; the scale must be above 0 and at most {LARGEST:g}, "
                "the bias finite"
            )
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)), requires_grad=learned)
        self.bias = nn.Parameter(torch.tensor(float(bias)), requires_grad=learned)

    def forward(self, scores: Tensor, same: Tensor) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        self.log_scale.data.clamp_(max=math.log(LARGEST))
        logits = pairs.scores * self.log_scale.exp() + self.bias
        against = softplus(logits).where(pairs.negative, 0).sum(dim=1)
        return (softplus(-logits.diagonal()) + against).mean()


LARGEST = 1000.0
"""The largest scale: beyond it float32 cosines are not exact enough."""
