"""The linear map that predicts one space from another with the least squared error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.align.affine import Affine
from duretrieval.align.axes import principal_axes
from duretrieval.align.moments import energy, mean, product
from duretrieval.align.pairs import Rows, check_pairs
from duretrieval.arrays import write
from duretrieval.errors import ConfigError
from duretrieval.similarity import unit
from duretrieval.types import Array, Floats, Modality

PENALTIES: Floats = np.logspace(-6, 4, 81)
"""What `Ridge.fit` tries, in units of the mean energy of a direction of x."""


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """Predicts the partner of a vector, then makes it unit; fitted by ridge regression.

    W = argmin |XW - Y|² + penalty |W|² = (XᵀX + penalty I)^-1 XᵀY, means removed from X and Y
    (Hoerl & Kennard 1970, "Ridge regression: biased estimation for nonorthogonal problems", eq. 2.1).
    f(x) = (x - mean_x) W + mean_y.
    """

    affine: Affine
    penalty: float

    @classmethod
    def fit(cls, x: Rows, y: Rows, *, penalty: float | None = None) -> Ridge:
        """Fit to pairs: x (n, d_in) to be carried to y (n, dim).

        penalty: None takes the one of `PENALTIES` with the smallest generalised cross-validation; 0 is least squares,
        of smallest norm where there are fewer pairs than directions.

        Raises:
            ShapeError, ConfigError: as `check_pairs`; or the penalty cannot be used.
        """
        if penalty is not None and not 0 <= penalty < math.inf:
            raise ConfigError(f"penalty is {penalty:g}; it must be 0 or more, or None to have it chosen")
        check_pairs(x, y)
        axes, mean_y = principal_axes(x), mean(y)
        projected = axes.directions.T @ product(x, axes.mean, y, mean_y)
        if penalty is None:
            explained = np.sum(projected**2, axis=1) / axes.energies
            tried = PENALTIES * axes.energies.mean()
            scores = generalised_cross_validation(tried, axes.energies, explained, energy(y, mean_y), len(x))
            penalty = float(tried[np.argmin(scores)])
        weights = axes.directions @ (projected / (axes.energies + penalty)[:, None])
        return cls(Affine(axes.mean, weights, mean_y), float(penalty))

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
    def load(cls, folder: str | Path, *, file: str, penalty: float) -> Ridge:
        """The aligner that `save` wrote. Raises ModelError where the file is not such an aligner."""
        return cls(Affine.load(Path(folder) / file), penalty)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors; returns the options that `load` needs to find it."""
        return {"file": write(folder, name, **self.affine.arrays()), "penalty": self.penalty}


def generalised_cross_validation(
    penalties: Floats, energies: Floats, explained: Floats, total: float, n: int
) -> Floats:
    """Estimated squared error of ridge on unseen pairs, per penalty: (p,) -> (p,), without fitting any of them.

    V(l) = n |(I - A(l)) Y|² / tr(I - A(l))², A the hat matrix (Golub, Heath & Wahba 1979, "Generalized
    cross-validation as a method for choosing a good ridge parameter", eq. 1.4). With X = U E^½ Vᵀ and the mean
    fitted too:  |(I - A) Y|² = total - sum_j explained_j + sum_j (l / (e_j + l))² explained_j,
    tr(I - A) = n - 1 - r + sum_j l / (e_j + l).
    It is leave-one-out with every row given the mean leverage, so a duplicate of a pair makes it too hopeful.

    energies: (r,) e_j.  explained: (r,) |u_jᵀ Y|².  total: |Y|², mean removed.  penalties: all above 0.
    """
    shrunk = penalties[:, None] / (energies + penalties[:, None])
    residual = max(total - explained.sum(), 0.0) + shrunk**2 @ explained
    freedom = n - 1 - len(energies) + shrunk.sum(axis=1)
    scores: Floats = n * residual / freedom**2
    return scores
