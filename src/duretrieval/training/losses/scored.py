"""Pairs with scores of their own: the cosine follows how far two things belong together, from 0 to 1.

    cosent:  L = log( 1 + sum_{(i, j): y_i > y_j} exp((s_j - s_i) / t) )
    mse:     L = 1/n sum_i (s_i - y_i)²

s_i the cosine of pair i and y_i its score.  The first asks for the order alone (Su 2022, "CoSENT: a more efficient
sentence vector scheme than Sentence-BERT", eq. 2), the second for the values (Reimers and Gurevych 2019,
"Sentence-BERT", the regression objective).  Both read the rows themselves, whatever the score of the recipe is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from duretrieval.errors import ConfigError, ShapeError


@dataclass(frozen=True, slots=True)
class Cosent:
    """temperature: t; the paper's scale of 20 is t = 0.05.

    A note on numerics: log-sum-exp with a 0 among its terms takes any cosine.  Pairs of equal scores ask for nothing.

    Raises:
        ConfigError: the temperature is not above 0.
    """

    reads: ClassVar[str] = "pairs"
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ConfigError(f"temperature is {self.temperature:g}; it must be above 0")

    def __call__(self, a: Tensor, b: Tensor, wanted: Tensor, /) -> Tensor:
        """Unit rows (n, d), their partners (n, d), scores (n,) -> scalar.

        Raises:
            ShapeError: not one partner and one score a row.
        """
        cosines = _cosines(a, b, wanted) / self.temperature
        larger = wanted[:, None] > wanted[None, :]  # i is to come before j
        excess = (cosines[None, :] - cosines[:, None])[larger]
        return torch.logsumexp(torch.cat([excess.new_zeros(1), excess]), dim=0)


@dataclass(frozen=True, slots=True)
class MeanSquaredError:
    """No settings.

    A note on numerics: bounded, since cosines and scores are.
    """

    reads: ClassVar[str] = "pairs"

    def __call__(self, a: Tensor, b: Tensor, wanted: Tensor, /) -> Tensor:
        """Unit rows (n, d), their partners (n, d), scores (n,) -> scalar.

        Raises:
            ShapeError: not one partner and one score a row.
        """
        return (_cosines(a, b, wanted) - wanted).square().mean()


def _cosines(a: Tensor, b: Tensor, wanted: Tensor) -> Tensor:
    if a.ndim != 2 or a.shape != b.shape or wanted.shape != a.shape[:1]:
        raise ShapeError(
            f"expected rows (n, d), their partners (n, d) and scores (n,); got {tuple(a.shape)}, {tuple(b.shape)} and "
            f"{tuple(wanted.shape)}"
        )
    cosines = (a * b).sum(dim=1)
    return cosines.float() if cosines.dtype in (torch.float16, torch.bfloat16) else cosines
