"""The rows of a text's tokens as one row: tokens (b, t, d), mask (b, t) of 1 and then 0 -> (b, d)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def first(tokens: Tensor, mask: Tensor) -> Tensor:
    """The first token's row: in BERT that of [CLS], which is meant for this (Devlin et al. 2019, section 3)."""
    return tokens[:, 0]


def mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """sum_t m_t h_t / sum_t m_t (Reimers & Gurevych 2019, "Sentence-BERT", section 3)."""
    weights = mask[:, :, None].to(tokens.dtype)
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1)


def maximum(tokens: Tensor, mask: Tensor) -> Tensor:
    """The largest of each column over the tokens that are there."""
    return tokens.masked_fill(mask[:, :, None] == 0, torch.finfo(tokens.dtype).min).amax(dim=1)


def last(tokens: Tensor, mask: Tensor) -> Tensor:
    """The last token's row: where each token sees only those before it, the only one that has seen all."""
    ends = mask.sum(dim=1) - 1
    return tokens.gather(1, ends[:, None, None].expand(-1, 1, tokens.shape[2])).squeeze(1)


class Attention(nn.Module):
    """sum_t a_t h_t, a = softmax_t(v · tanh(W h_t + b)) (Yang et al. 2016, "Hierarchical attention networks", eq. 5-7).

    v begins at zero, so that training begins at the mean.
    """

    def __init__(self, d: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(d, d)
        self.score = nn.Linear(d, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(b, t, d), (b, t) -> (b, d)."""
        scores = self.score(torch.tanh(self.hidden(tokens))).squeeze(2)
        a = scores.masked_fill(mask == 0, torch.finfo(scores.dtype).min).softmax(dim=1)
        row: Tensor = (a[:, :, None] * tokens).sum(dim=1)
        return row


PLAIN = {"cls": first, "mean": mean, "max": maximum, "last": last}
"""The poolings that learn nothing, by the names of a recipe."""
