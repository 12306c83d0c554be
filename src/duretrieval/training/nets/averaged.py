"""Several heads as one: an ensemble that costs one search."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.training.nets.heads import Head


class Averaged(Head):
    """f(x) = mean over k of unit(f_k(x)): what heads that learned apart agree on (Hansen & Salamon 1990).

    With a unit row y, f(x) y is the mean of the heads' cosines; the cosine of f(x) divides it by the length of f(x),
    which is shorter the more they disagree about x.

    Raises:
        ConfigError: there are none, or they are not all from dim_in to dim.
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        sizes = {(head.dim_in, head.dim) for head in heads}
        if len(sizes) != 1:
            raise ConfigError(f"heads of {len(sizes)} shapes cannot be averaged: {sorted(sizes)}; give some of one")
        super().__init__(*sizes.pop())
        self.each = nn.ModuleList(heads)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim)."""
        rows = [normalize(head(vectors), dim=1) for head in self.each]
        found: Tensor = sum(rows[1:], rows[0]) / len(rows)
        return found
