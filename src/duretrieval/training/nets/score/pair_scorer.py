"""A pair scorer: two rows through dense layers to one number, "match or not".

    s(a, b) = w3ᵀ relu(W2 relu(W1 [a; b; a*b; |a-b|] + b1) + b2) + b3

trained with `BinaryCrossEntropy`, which applies the sigmoid; the score is its logit. The classic form reads [a; b]
alone (inputs = "ab"). Unlike it, product and difference are given too: dense layers on [a; b] must first learn to
multiply before they can compare (Conneau et al. 2017, "Supervised learning of universal sentence representations from
natural language inference data", section 3.1, has the same four).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from duretrieval.errors import ConfigError
from duretrieval.training.blocks import NUMBERS, in_blocks
from duretrieval.training.nets.score.pair_score import PairScore


class PairScorer(PairScore):
    """dim: d.  hidden: widths of the dense layers.  inputs: `all` four, or `ab`.

    numbers: the most that all pairs hold at once; beyond it they are computed in blocks, again in the backward pass.

    Raises:
        ConfigError: dim or a width is below 1, there is no width, or other inputs.
    """

    dense = True

    def __init__(
        self,
        dim: int,
        *,
        hidden: Sequence[int] = (128, 128),
        inputs: Literal["all", "ab"] = "all",
        numbers: int = NUMBERS,
    ) -> None:
        super().__init__()
        if min(dim, *hidden, 1) < 1 or not hidden:
            raise ConfigError(f"dim is {dim} and hidden {list(hidden)}; give at least one layer, each at least 1 wide")
        if inputs not in ("all", "ab"):
            raise ConfigError(f"inputs is {inputs!r}; it must be 'all' or 'ab'")
        self.dim = dim
        self.inputs = inputs
        self.numbers = numbers
        self.first = nn.Linear((4 if inputs == "all" else 2) * dim, hidden[0])
        rest: list[nn.Module] = [nn.ReLU()]
        for width, following in zip(hidden, [*hidden[1:], 1], strict=True):
            rest += [nn.Linear(width, following), nn.ReLU()]
        self.rest = nn.Sequential(*rest[:-1])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        self.check(a, b)
        width = len(b) * (4 * a.shape[1] + 2 * self.first.out_features)
        return in_blocks(lambda rows: self._score(rows[:, None, :], b[None, :, :]), a, width, self.numbers)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        return self._score(a, b)

    def _score(self, a: Tensor, b: Tensor) -> Tensor:
        """Rows that broadcast: (..., d), (..., d) -> (...); W1 in parts, so that what is a's alone is done once."""
        of_a, of_b, *of_both = torch.split(self.first.weight, a.shape[-1], dim=1)
        total = linear(a, of_a, self.first.bias) + linear(b, of_b)
        if of_both:
            total = total + linear(a * b, of_both[0]) + linear((a - b).abs(), of_both[1])
        scores: Tensor = self.rest(total).squeeze(-1)
        return scores
