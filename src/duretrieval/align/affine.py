"""A shift, a matrix and a shift: what a fitted linear aligner consists of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.align.moments import BLOCK
from duretrieval.arrays import read
from duretrieval.errors import ShapeError
from duretrieval.types import Array, Floats


def frozen(rows: npt.NDArray[Any]) -> Floats:
    """A float64 copy that nobody can write to."""
    held = np.array(rows, dtype=np.float64)
    held.flags.writeable = False
    return held


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """f(x) = (x - mean) weights + shift, in float64.

    mean: (d_in,).  weights: (d_in, dim).  shift: (dim,).  All three become read-only copies.

    Raises:
        ShapeError: the three do not fit together.
    """

    mean: Floats
    weights: Floats
    shift: Floats

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if self.weights.ndim != 2 or (self.mean.shape, self.shift.shape) != tuple((d,) for d in self.weights.shape):
            raise ShapeError(
                "expected a mean (d_in,), weights (d_in, dim) and a shift (dim,); "
                f"got {self.mean.shape}, {self.weights.shape} and {self.shift.shape}"
            )

    @property
    def dim(self) -> int:
        """Length of the rows that come out."""
        return int(self.weights.shape[1])

    def __call__(self, vectors: Array) -> Array:
        """(n, d_in) -> (n, dim) float32, not yet of unit length.

        Raises:
            ShapeError: the rows have another length than those it was fitted to.
        """
        wanted = len(self.mean)
        if vectors.ndim != 2 or vectors.shape[1] != wanted:
            raise ShapeError(
                f"this aligner was fitted to vectors of length {wanted} and takes (n, {wanted}); got {vectors.shape}. "
                "Give it the vectors of the encoder it was fitted to, or fit it again"
            )
        out = np.empty((len(vectors), self.dim), dtype=np.float32)
        for start in range(0, len(vectors), BLOCK):
            rows = slice(start, start + BLOCK)
            out[rows] = (vectors[rows] - self.mean) @ self.weights + self.shift
        return out

    def arrays(self, prefix: str = "") -> dict[str, npt.NDArray[np.float64]]:
        """Its arrays under the names that `load` looks for."""
        return {prefix + name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def load(cls, path: Path, prefix: str = "") -> Affine:
        """The map whose `arrays` are in a safetensors file. Raises ModelError where they are not."""
        return cls(*(read(path, prefix + name) for name in cls.__slots__))
