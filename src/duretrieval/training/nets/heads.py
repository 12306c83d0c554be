"""From an encoder's rows to the shared space: what is trained on top of a frozen or a learning encoder.

identity   nothing learns; the rows are already in the shared space
linear     one matrix
mlp        a perceptron
residual   a given start (ridge, or nothing) plus a perceptron that begins at zero
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.align.affine import Affine
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.nets.dropout import Dropout
from duretrieval.training.onnx import to_onnx


class Head(nn.Module):
    """(b, dim_in) -> (b, dim) rows, not yet unit; row i from row i alone, in evaluation mode.

    Raises:
        ConfigError: dim_in or dim is less than 1.
    """

    def __init__(self, dim_in: int, dim: int) -> None:
        super().__init__()
        if dim_in < 1 or dim < 1:
            raise ConfigError(f"a head from {dim_in} to {dim} dimensions cannot be made; both must be at least 1")
        self.dim_in = dim_in
        self.dim = dim

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx into a model folder; returns the aligner's entry, without its modalities."""
        device = next(iter([*self.parameters(), *self.buffers()]), torch.empty(0)).device
        to_onnx(self, Path(folder) / f"{name}.onnx", {"vectors": torch.zeros(2, self.dim_in, device=device)})
        return {"use": "onnx-head", "options": {"dim": self.dim, "file": f"{name}.onnx"}}


class Identity(Head):
    """f(x) = x.

    Raises:
        ConfigError: dim is not dim_in.
    """

    def __init__(self, dim_in: int, dim: int) -> None:
        super().__init__(dim_in, dim)
        if dim_in != dim:
            raise ConfigError(
                f"an identity head leaves rows of {dim_in} dimensions as they are; the shared space has {dim}. "
                f"Set dim = {dim_in}, or use the head 'linear'"
            )

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim) -> (b, dim)."""
        return vectors.clone()  # a graph needs one operation at least


class Linear(Head):
    """f(x) = W x + b."""

    def __init__(self, dim_in: int, dim: int, *, bias: bool = True) -> None:
        super().__init__(dim_in, dim)
        self.linear = nn.Linear(dim_in, dim, bias=bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim)."""
        rows: Tensor = self.linear(vectors)
        return rows


class Mlp(Head):
    """f(x) = W_out h_depth, h_1 = block(x), h_l = h_{l-1} + block(h_{l-1}); block = dropout . gelu . norm . linear.

    hidden: width of every hidden layer.  depth: how many there are.  norm: layer normalisation (Ba, Kiros & Hinton
    2016) in each.  residual: whether a block's input is added to its output, as above (He et al. 2016, eq. 1).

    Raises:
        ConfigError: as `Head`; depth or hidden is less than 1, or dropout is not a probability below 1.
    """

    def __init__(
        self,
        dim_in: int,
        dim: int,
        *,
        hidden: int = 512,
        depth: int = 1,
        dropout: float = 0.1,
        norm: bool = True,
        residual: bool = True,
    ) -> None:
        super().__init__(dim_in, dim)
        if depth < 1 or hidden < 1:
            raise ConfigError(f"depth is {depth} and hidden is {hidden}; both must be at least 1, or use 'linear'")
        self.residual = residual
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(hidden if layer else dim_in, hidden),
                nn.LayerNorm(hidden) if norm else nn.Identity(),
                nn.GELU(),
                Dropout(dropout),
            )
            for layer in range(depth)
        )
        self.out = nn.Linear(hidden, dim)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim)."""
        rows: Tensor = self.blocks[0](vectors)
        for block in list(self.blocks)[1:]:
            rows = rows + block(rows) if self.residual else block(rows)
        out: Tensor = self.out(rows)
        return out


class Residual(Head):
    """f(x) = unit(start(x)) + mlp(x), where mlp begins at 0: training begins where the closed form ended.

    start: what `Ridge` or `Procrustes` found (its `affine`, or the .safetensors file of its `save`); None is
    start(x) = x. It does not learn.  What else there is goes to `Mlp`.

    Raises:
        ConfigError: as `Mlp`; or there is no start and dim is not dim_in.
        ShapeError: the start is not from dim_in to dim.
        ModelError: the file holds no such aligner.
    """

    mean: Tensor
    weights: Tensor
    shift: Tensor

    def __init__(
        self,
        dim_in: int,
        dim: int,
        *,
        start: Affine | Path | str | None = None,
        hidden: int = 512,
        depth: int = 1,
        dropout: float = 0.1,
        norm: bool = True,
    ) -> None:
        super().__init__(dim_in, dim)
        affine = Affine.load(Path(start)) if isinstance(start, str | Path) else start
        if affine is None and dim_in != dim:
            raise ConfigError(
                f"a residual head from {dim_in} to {dim} dimensions needs a start: the file of a saved ridge aligner"
            )
        if affine is not None and affine.weights.shape != (dim_in, dim):
            raise ShapeError(f"expected a start from {dim_in} to {dim} dimensions; got one of {affine.weights.shape}")
        self.starts = affine is not None
        if affine is not None:
            for name, rows in affine.arrays().items():
                self.register_buffer(name, torch.tensor(rows, dtype=torch.float32))
        self.mlp = Mlp(dim_in, dim, hidden=hidden, depth=depth, dropout=dropout, norm=norm)
        nn.init.zeros_(self.mlp.out.weight)
        nn.init.zeros_(self.mlp.out.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim)."""
        start = (vectors - self.mean) @ self.weights + self.shift if self.starts else vectors
        rows: Tensor = normalize(start, dim=1) + self.mlp(vectors)
        return rows
