"""Neural tensor: several bilinear forms and a linear one, through tanh.

    s(a, b) = uᵀ tanh(aᵀ W^[1:k] b + V [a; b] + c),   W (k, d, d), V (k, 2d), c and u (k,)

(Socher, Chen, Manning and Ng 2013, "Reasoning with neural tensor networks for knowledge base completion", eq. 1).
Unlike there, where W begins at random, each slice begins as the identity plus noise and u as 1 / k, so that the score
begins near tanh cos(a, b) and learns what the cosine lacks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.blocks import NUMBERS, in_blocks
from duretrieval.training.nets.score.pair_score import PairScore


class NeuralTensor(PairScore):
    """dim: d.  slices: k.  numbers: the most that all pairs hold at once; beyond it they are computed in blocks.

    Raises:
        ConfigError: dim or slices is below 1.
    """

    dense = True

    def __init__(self, dim: int, *, slices: int = 4, numbers: int = NUMBERS) -> None:
        super().__init__()
        if dim < 1 or slices < 1:
            raise ConfigError(
                f"a neural tensor of {slices} slices for {dim} dimensions cannot be; both must be at least 1"
            )
        self.dim = dim
        self.numbers = numbers
        self.w = nn.Parameter(torch.eye(dim) + torch.randn(slices, dim, dim) / dim)
        self.v = nn.Linear(2 * dim, slices)  # V and c
        self.u = nn.Parameter(torch.full((slices,), 1 / slices))
        nn.init.normal_(self.v.weight, std=1 / (2 * dim))
        nn.init.zeros_(self.v.bias)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (m, d) -> (n, m)."""
        self.check(a, b)
        of_a, of_b = self._linear(a, b)
        slices = len(self.u)

        def against_all(rows: Tensor) -> Tensor:
            """Rows (p, d + k): an anchor beside its linear part."""
            anchors, linear = torch.split(rows, [a.shape[1], slices], dim=1)
            turned = torch.einsum("nd,kde->nke", anchors, self.w)
            forms = (turned @ b.T).transpose(1, 2) + linear[:, None, :] + of_b[None, :, :]  # (p, m, k)
            scores: Tensor = forms.tanh() @ self.u
            return scores

        return in_blocks(against_all, torch.cat([a, of_a], dim=1), 3 * slices * len(b), self.numbers)

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        of_a, of_b = self._linear(a, b)
        forms = (torch.einsum("nd,kde->nke", a, self.w) * b[:, None, :]).sum(dim=2)
        scores: Tensor = (forms + of_a + of_b).tanh() @ self.u
        return scores

    def _linear(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """V [a; b] + c as a part of a and one of b: (n, k), (m, k)."""
        first, second = self.v.weight.chunk(2, dim=1)
        return a @ first.T + self.v.bias, b @ second.T
