"""Binary codes that are learned: one layer for both sides of a pair, whose outputs are pushed to -1 and 1.

The sign has no slope, so training sees something that has one (`mode`), while evaluation and the engine see signs.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.heads import Head


class Codes(Head):
    """f(x) = sign(W x + b), `dim` bits as rows of -1 and 1 (0 becomes -1); a Siamese network has one for both sides.

    While it trains,
        mode "sign":  forward sign(z), backward the slope of z where |z| <= 1 and 0 elsewhere: the straight-through
                      estimator (Bengio, Léonard & Courville 2013; clipped as in Courbariaux et al. 2016, eq. 4);
        mode "tanh":  tanh(sharpness z), sharpness = (1 + rise * steps)^½, so that it goes over into the sign
                      (Cao et al. 2017, "HashNet: deep learning to hash by continuation").
    A loss of scores reads cosines of these rows, which for signs are 1 - 2 hamming / dim.

    rise: how fast; 0.005 reaches a sharpness of 7 after 10,000 batches.  Unlike the paper, whose sharpness goes up in
    stages, it rises with every batch.

    Raises:
        ConfigError: as `Head`; there is no such mode, or rise is not above 0.
    """

    steps: Tensor

    def __init__(self, dim_in: int, dim: int, *, mode: Literal["tanh", "sign"] = "tanh", rise: float = 0.005) -> None:
        super().__init__(dim_in, dim)
        if mode not in ("tanh", "sign"):
            raise ConfigError(f"mode is {mode!r}; choose 'tanh' (annealed) or 'sign' (straight-through)")
        if not rise > 0:
            raise ConfigError(f"rise is {rise:g}; it must be above 0, or the codes never become binary")
        self.mode = mode
        self.rise = rise
        self.linear = nn.Linear(dim_in, dim)
        nn.init.normal_(self.linear.weight)  # on unit rows z then has unit variance: neither flat nor saturated
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))  # saved, so that a run resumes as it was

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) unit rows -> (b, dim): signs in evaluation mode, and what has a slope in training mode."""
        z: Tensor = self.linear(vectors)
        if not self.training:
            return signs(z)
        if self.mode == "sign":
            clipped = z.clamp(-1, 1)
            return clipped + (signs(z) - clipped).detach()
        relaxed = torch.tanh(self.sharpness * z)
        self.steps += 1
        return relaxed

    @property
    def sharpness(self) -> float:
        """What z is multiplied by before the tanh."""
        return float((1 + self.rise * self.steps) ** 0.5)


def signs(values: Tensor) -> Tensor:
    """1 above 0, -1 for the rest."""
    return torch.where(values > 0, 1.0, -1.0).to(values.dtype)
