"""A loss of rows that makes them good binary codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from duretrieval.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CodePenalty:
    """Keeps relaxed codes near -1 and 1, and every bit as often 1 as -1: a loss of rows, beside one of scores.

    quantisation * mean |(|h| - 1)|²  +  balance * mean_j (mean_i h_ij)²,  h = dim^½ row
    (the first as in Zhu et al. 2016, "Deep hashing network for efficient similarity retrieval", unlike there squared
    and not a log cosh; the second is what Weiss, Torralba & Fergus 2008, "Spectral hashing", demand of a good code).

    The rows come unit, and h is a code of -1 and 1 exactly where all components of a row have the same size.
    a, b: (n, dim), (n, dim), the two sides of a Siamese network, taken together.

    Raises:
        ConfigError: a weight is below 0.
    """

    quantisation: float = 0.1
    balance: float = 0.1
    reads: ClassVar[str] = "rows"

    def __post_init__(self) -> None:
        if self.quantisation < 0 or self.balance < 0:
            raise ConfigError(
                f"quantisation is {self.quantisation:g} and balance is {self.balance:g}; both must be 0 or more"
            )

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """A scalar."""
        h = torch.cat([a, b]) * a.shape[1] ** 0.5
        penalty: Tensor = (
            self.quantisation * (h.abs() - 1).square().mean() + self.balance * h.mean(dim=0).square().mean()
        )
        return penalty
