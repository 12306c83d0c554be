"""Vectors to binary codes, without labels and without training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.align.affine import Affine
from duretrieval.align.axes import principal_axes
from duretrieval.align.pairs import Rows, check_rows
from duretrieval.arrays import write
from duretrieval.errors import ConfigError
from duretrieval.types import Array, Floats, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Itq:
    """Turns the principal directions so that as little as possible is lost when only the signs are kept.

    min |B - V R|² over signs B (n, bits) and orthogonal R, V the centred data on its first `bits` principal axes, by
    turns: B = sign(V R); R = Ŝ Sᵀ where Bᵀ V = S Ω Ŝᵀ (Gong & Lazebnik 2011, "Iterative quantization: a Procrustean
    approach to learning binary codes", eq. 2 and what follows; Gong et al. 2013).  f(x) = sign((x - mean) W R).

    The rows it gives are the signs, made unit: +-1 / sqrt(bits), so that cosine = 1 - 2 hamming / bits.  It works on
    the shared space, after everything else: `BinaryIndex(dim, coder=itq)` keeps the bits.
    """

    affine: Affine

    @classmethod
    def fit(cls, x: Rows, *, bits: int, iterations: int = 50, seed: int = 0) -> Itq:
        """Fit to vectors x (n, d) of the space, of every modality that will be searched.

        bits: length of a code, at most the directions in which x varies.  seed: of the rotation it begins with.

        Raises:
            ShapeError, ConfigError: x is no matrix of finite rows that differ; or bits or iterations cannot be used.
        """
        check_rows("x", x)
        axes = principal_axes(x)
        if not 1 <= bits <= len(axes.energies):
            raise ConfigError(
                f"bits is {bits}; the vectors vary in {len(axes.energies)} directions, so it must be 1 to "
                f"{len(axes.energies)}"
            )
        if iterations < 0:
            raise ConfigError(f"iterations is {iterations}; it must be 0 (a random rotation) or more")
        directions = axes.directions[:, :bits]
        v: Floats = (x - axes.mean) @ directions
        rotation = _random_rotation(bits, seed)
        for _ in range(iterations):
            s, _, s_hat = np.linalg.svd(signs(v @ rotation).T @ v)
            rotation = s_hat.T @ s.T
        return cls(Affine(axes.mean, directions @ rotation, np.zeros(bits)))

    @property
    def dim(self) -> int:
        """Bits of a code, which is the length of the rows that come out."""
        return self.affine.dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d) -> (n, bits) unit rows of +-1 / sqrt(bits); the modality does not matter.

        Raises:
            ShapeError: the rows have another length than those it was fitted to.
        """
        rows: Array = (signs(self.affine(vectors)) / np.sqrt(self.dim)).astype(np.float32)
        return rows

    @classmethod
    def load(cls, folder: str | Path, *, file: str) -> Itq:
        """The coder that `save` wrote. Raises ModelError where the file is not such a coder."""
        return cls(Affine.load(Path(folder) / file))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors; returns the options that `load` needs to find it."""
        return {"file": write(folder, name, **self.affine.arrays())}


def signs(values: Rows) -> Floats:
    """1 above 0, -1 for the rest: sign(0) must be one of the two, the same everywhere."""
    return np.where(values > 0, 1.0, -1.0)


def _random_rotation(bits: int, seed: int) -> Floats:
    """Uniform among the orthogonal matrices (bits, bits): Q of a Gaussian matrix, with the signs of R's diagonal."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(bits, bits)))
    rotation: Floats = q * np.sign(np.diag(r))
    return rotation
