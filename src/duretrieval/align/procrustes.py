"""The rotation that lays one space on another without bending it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.align.affine import Affine
from duretrieval.align.moments import energy, mean, product
from duretrieval.align.pairs import Rows, check_pairs
from duretrieval.arrays import write
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Procrustes:
    """Rotates a vector into the other space, then makes it unit; angles within a modality stay what they were.

    R = argmin |XR - Y|² over orthogonal R = U Vᵀ, where XᵀY = U S Vᵀ (Schönemann 1966, "A generalized solution of
    the orthogonal Procrustes problem", eq. 1.8), with scale s = tr S / |X|² and means removed from X and Y
    (Schönemann & Carroll 1970).  f(x) = s (x - mean_x) R + mean_y.

    Unlike the paper, the spaces may differ in width. To a wider or equal one R Rᵀ = I and R is the minimum; to a
    narrower one RᵀR = I and R maximises tr((XR)ᵀY), since the minimum has no closed form. Directions in which no
    pair lies (always where n < d_in) are turned arbitrarily: `Ridge` leaves them out and does better there.
    """

    affine: Affine

    @classmethod
    def fit(cls, x: Rows, y: Rows, *, centre: bool = True, scale: bool = False) -> Procrustes:
        """Fit to pairs: x (n, d_in) to be carried to y (n, dim).

        centre: False turns about the origin.  scale: also stretch; it changes a direction only together with
        `centre`, by what the rotated vector weighs against mean_y.

        Raises:
            ShapeError, ConfigError: as `check_pairs`.
        """
        check_pairs(x, y)
        mean_x = mean(x) if centre else np.zeros(x.shape[1])
        mean_y = mean(y) if centre else np.zeros(y.shape[1])
        u, s, vt = np.linalg.svd(product(x, mean_x, y, mean_y), full_matrices=False)
        stretch = s.sum() / energy(x, mean_x) if scale else 1.0
        return cls(Affine(mean_x, stretch * (u @ vt), mean_y))

    @property
    def dim(self) -> int:
        """Length of the rows that come out."""
        return self.affine.dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d_in) -> (n, dim) unit rows; the modality does not matter.

        Raises:
            ShapeError: the rows have another length than those it was fitted to.
        """
        return unit(self.affine(vectors))

    @classmethod
    def load(cls, folder: str | Path, *, file: str) -> Procrustes:
        """The aligner that `save` wrote. Raises ModelError where the file is not such an aligner."""
        return cls(Affine.load(Path(folder) / file))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors; returns the options that `load` needs to find it."""
        return {"file": write(folder, name, **self.affine.arrays())}
