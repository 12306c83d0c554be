"""A learned score of pairs, mixed with the cosine and with what known pairs say.

    s(a, b) = (1 - w - u) cos(a, b) / c + w f(a, b) / d + u g(a, b) / e
    g(a, b) = log( p(a)·p(b) ),   p(x)_k = mean_v softmax_k( x·y_vk / t )

f the learned score, y_vk view v of known pair k, c, d and e the deviations of the three among the candidates of a
query.  What learned to tell the partners of training rows need not rank new candidates better than the cosine by which
these were found; w and u are what serves validation rows best (`fit.mixing`), and where nothing does, both are 0 and
the cosine's order stays.

g asks whether two rows resemble the same known pairs (Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra 2016,
"Matching networks for one shot learning", eq. 1, where the known have labels, here partners).  It compares within a
modality as well, text with text and picture with picture, which the cosine of a pair cannot.
"""

from __future__ import annotations

import torch
from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.nets.score.pair_score import PairScore, exact

TEMPERATURE = 0.05
SUPPORT = 1024
SMALLEST = 1e-9
"""Of p(a)·p(b)."""


class Mixed(PairScore):
    """The mixture, which is what ranks and what is exported; the losses read f alone, and before `weigh` it is f alone.

    score: f, made for rows of one length.  views: how many a known pair has.  support: known pairs that are kept.

    Raises:
        ConfigError: support is below 0.
    """

    known: Tensor
    shares: Tensor
    scales: Tensor

    def __init__(self, score: PairScore, *, views: int = 2, support: int = SUPPORT) -> None:
        super().__init__()
        if support < 0:
            raise ConfigError(f"[score] support is {support}; it is a number of known pairs, at least 0")
        assert score.dim is not None
        self.score = score
        self.dim = score.dim
        self.symmetric = score.symmetric
        self.register_buffer("known", torch.zeros(views, support if views > 1 else 0, score.dim))
        self.register_buffer("shares", torch.tensor([1.0, 0.0]))  # w and u
        self.register_buffer("scales", torch.ones(3))

    @property
    def support(self) -> int:
        """Known pairs that it has room for."""
        return self.known.shape[1]

    def remember(self, views: Tensor) -> None:
        """Known pairs (v, n, d), n up to `support`; zeros where a pair lacks a view."""
        self.known.zero_()
        self.known[:, : views.shape[1]] = views

    def weigh(self, learned: float, matched: float, scales: tuple[float, float, float]) -> None:
        """w, u, and the deviations c, d and e."""
        self.shares.copy_(torch.tensor([learned, matched]))
        self.scales.copy_(torch.tensor(scales))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        return self.mixed(exact(a) @ exact(b).T, self.score(a, b), self.matched(a, b))

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        both = (self.profiles(a) * self.profiles(b)).sum(dim=1)
        return self.mixed((exact(a) * exact(b)).sum(dim=1), self.score.pairs(a, b), agreement(both))

    def matched(self, a: Tensor, b: Tensor) -> Tensor:
        """g of all pairs: (n, d), (m, d) -> (n, m)."""
        return agreement(self.profiles(a) @ self.profiles(b).T)

    def mixed(self, cosines: Tensor, learned: Tensor, matched: Tensor) -> Tensor:
        """Of the three for the same pairs."""
        w, u = self.shares
        c, d, e = self.scales
        total: Tensor = (1 - w - u) * cosines / c + w * learned / d + u * matched / e
        return total

    def profiles(self, rows: Tensor) -> Tensor:
        """p: (n, d) -> (n, support); without support a column of 1, by which any two rows are alike."""
        if not self.support:
            return torch.ones_like(exact(rows)[:, :1])
        logits = exact(rows) @ self.known.flatten(0, 1).T / TEMPERATURE
        there = (self.known != 0).any(dim=2).flatten()
        by_view = logits.masked_fill(~there, -1e4).view(-1, *self.known.shape[:2])  # (n, v, support)
        return by_view.softmax(dim=2).mean(dim=1)


def agreement(both: Tensor) -> Tensor:
    """g of p(a)·p(b)."""
    return (both + SMALLEST).log()
