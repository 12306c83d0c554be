"""The directions in which vectors vary, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duretrieval.align.moments import mean, product
from duretrieval.align.pairs import Rows
from duretrieval.types import Floats

NEGLIGIBLE = 1e-10
"""Energy, as a share of the largest, below which a direction of float32 vectors is rounding and is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The thin singular value decomposition X - 1 meanᵀ = U diag(energies)^½ directionsᵀ, without U.

    mean: (d,).  directions: (d, r) orthonormal columns.  energies: (r,) squared singular values, largest first,
    all above 0; r <= min(n - 1, d).
    """

    mean: Floats
    directions: Floats
    energies: Floats


def principal_axes(x: Rows) -> Axes:
    """The axes of x (n, d), which must not be constant: by way of the smaller of XᵀX (d, d) and XXᵀ (n, n)."""
    centre = mean(x)
    if len(x) > x.shape[1]:
        energies, directions = _largest(product(x, centre, x, centre))
        return Axes(centre, directions, energies)
    centred = x - centre
    energies, u = _largest(centred @ centred.T)
    return Axes(centre, (centred.T @ u) / np.sqrt(energies), energies)


def _largest(symmetric: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues (r,) that are not negligible, largest first, and their eigenvectors in columns."""
    values, vectors = np.linalg.eigh(symmetric)
    keep = np.flatnonzero(values > NEGLIGIBLE * values[-1])[::-1]
    return values[keep], vectors[:, keep]
