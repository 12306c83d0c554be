"""What all scores here share: all pairs for training, single pairs for the engine, and the graph of the latter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.errors import ShapeError
from duretrieval.training.onnx import to_onnx


class PairScore(nn.Module):
    """A score of pairs of rows; a larger score is better.

    `forward` compares all rows with all, (n, d), (m, d) -> (n, m); `pairs` row i with row i, (n, d), (n, d) -> (n,),
    and is what the engine runs on the candidates of a query. Law: pairs(a, b) is the diagonal of forward(a, b) (1e-4).

    dim: d, where the score is made for one; None where it takes any.  symmetric: whether score(a, b) is score(b, a)ᵀ,
    so that training computes one of the two.  dense: whether it is learned whole, so that a recipe mixes it (`Mixed`).
    """

    dim: int | None = None
    symmetric: bool = False
    dense: bool = False

    def __init__(self) -> None:  # nn.Module's takes anything, and a recipe's misspelt option would not be noticed
        super().__init__()

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        raise NotImplementedError

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx: inputs `a` and `b`, (n, d) each, to scores (n,); returns the scorer's entry."""
        device = next(self.parameters(), torch.empty(0)).device
        rows = torch.eye(2, self.dim or 4, device=device)
        free = {} if self.dim else {"a": [1], "b": [1]}
        to_onnx(_Pairs(self), Path(folder) / f"{name}.onnx", {"a": rows, "b": rows.flip(0)}, free=free, output="scores")
        return {"use": "onnx-scorer", "options": {"file": f"{name}.onnx"}}

    def check(self, a: Tensor, b: Tensor) -> None:
        """Raises ShapeError where rows do not have the length that this score was made for, or not the same."""
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or self.dim not in (None, a.shape[1]):
            raise ShapeError(
                f"expected rows (n, {self.dim or 'd'}) and (m, {self.dim or 'd'}) to score; "
                f"got {tuple(a.shape)} and {tuple(b.shape)}"
            )


class _Pairs(nn.Module):
    """A score whose forward pass is that of pairs, for the graph."""

    def __init__(self, score: PairScore) -> None:
        super().__init__()
        self.score = score

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(n, d), (n, d) -> (n,)."""
        return self.score.pairs(a, b)


def exact(rows: Tensor) -> Tensor:
    """Half precision as float32: a cosine of 8 bits cannot tell near neighbours apart."""
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
