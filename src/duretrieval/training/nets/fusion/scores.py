"""How well a row fits another, in four ways, and what attention does with it.

    a_ij = w_j exp(e_ij) / sum_k w_k exp(e_ik)        z_i = sum_j a_ij y_j        e_ij = score(x_i, y_j)

with w_j = 1, or less where the tokens of a modality share one weight; 0 is absent.

Each score is a module (b, i, d), (b, j, d) -> (b, i, j); `attend` is all of attention that they share.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.plugins import suggest
from duretrieval.training.nets.fusion.stacked import masked_softmax


def attend(scores: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """scores (..., i, j), values (..., j, d), weights (..., j), or (..., i, j) -> (..., i, d); what has none is absent.

    Where nothing is there, uniform and not nan.
    """
    weights = (weights if weights.ndim == scores.ndim else weights[..., None, :]).to(scores.dtype)
    smallest = torch.finfo(scores.dtype).tiny
    return masked_softmax(scores + weights.clamp(min=smallest).log(), weights > 0) @ values


class Dot(nn.Module):
    """e_ij = x_i · y_j (Luong, Pham & Manning 2015, "Effective approaches to attention-based neural machine
    translation", section 3.1).  Between unit rows it is a cosine: no weight is more than e² times another.
    """

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., i, d), (..., j, d) -> (..., i, j)."""
        return x @ y.transpose(-1, -2)


class ScaledDot(nn.Module):
    """e_ij = x_i · y_j / sqrt(d) (Vaswani et al. 2017, "Attention is all you need", equation 1).  The scale is meant
    for rows of length about sqrt(d), as projections give; between unit rows the weights are nearly equal.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(width)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., i, d), (..., j, d) -> (..., i, j)."""
        return self.scale * (x @ y.transpose(-1, -2))


class Additive(nn.Module):
    """e_ij = vᵀ tanh(W x_i + U y_j) (Bahdanau, Cho & Bengio 2015, "Neural machine translation by jointly learning to
    align and translate", appendix A.1.2).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.v = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., i, d), (..., j, d) -> (..., i, j)."""
        hidden = torch.tanh(self.query(x)[..., :, None, :] + self.key(y)[..., None, :, :])
        scores: Tensor = self.v(hidden)
        return scores.squeeze(-1)


class Bilinear(nn.Module):
    """e_ij = x_iᵀ W y_j ("general" in Luong, Pham & Manning 2015, section 3.1).  W begins as the identity: as `Dot`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., i, d), (..., j, d) -> (..., i, j)."""
        return x @ self.weight @ y.transpose(-1, -2)


class Uniform(nn.Module):
    """e_ij = 0: no attention at all, the mean of what is there; to compare the others with."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(..., i, d), (..., j, d) -> (..., i, j)."""
        return 0 * (x[..., :, None, 0] + y[..., None, :, 0])


SCORES: dict[str, type[nn.Module]] = {
    "dot": Dot,
    "scaled-dot": ScaledDot,
    "additive": Additive,
    "bilinear": Bilinear,
    "uniform": Uniform,
}
"""name -> the score of rows of a width."""


def score_named(name: str, width: int) -> nn.Module:
    """The score of that name for rows of a width.

    Raises:
        ConfigError: there is none.
    """
    if name not in SCORES:
        raise ConfigError(f"no score called {name!r}.{suggest(name, list(SCORES))} There are: {', '.join(SCORES)}")
    return SCORES[name](width)
