"""Deep CCA: rows whose canonical correlations are as large as can be.

    L = -1/k sum_{j <= k} sigma_j(T),   T = (Saa + ra I)^-1/2 Sab (Sbb + rb I)^-1/2

sigma_j the singular values, largest first, S the covariances of the batch (Andrew, Arora, Bilmes and Livescu 2013,
"Deep canonical correlation analysis", section 3). Unlike there, the correlations are averaged, r is `penalty` times the
mean variance of the side, so that the scale of the rows does not matter, and each side is whitened by the inverse of a
Cholesky factor: it differs from the inverse root by a rotation, which leaves the singular values as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from duretrieval.errors import ConfigError, ShapeError


@dataclass(frozen=True, slots=True)
class DeepCca:
    """A loss of rows, not of scores.

    components: k, None for all.  penalty: lower trusts small batches more than they deserve: n rows of d >= n
    dimensions correlate perfectly with anything, so a batch should be several times d.

    A note on numerics: neither root nor eigenvector is derived. The gradient of sum sigma_j is U Vᵀ, which stays
    bounded where singular values coincide; those that are 0 up to rounding take no part in it. Always at least float32.

    Raises:
        ConfigError: fewer than one component, or a penalty below 1e-5.
    """

    reads: ClassVar[str] = "rows"
    any_axes: ClassVar[bool] = True  # `align.canonical` turns the rows before they are compared
    components: int | None = None
    penalty: float = 1e-3

    def __post_init__(self) -> None:
        if self.components is not None and self.components < 1:
            raise ConfigError(f"components is {self.components}; it must be at least 1, or None for all")
        if not 1e-5 <= self.penalty < math.inf:
            raise ConfigError(f"penalty is {self.penalty:g}; it must be at least 1e-5 for float32 rows")

    def __call__(self, a: Tensor, b: Tensor, /) -> Tensor:
        """Rows (n, d_a) and their partners (n, d_b) -> scalar in [-1, 0].

        Raises:
            ShapeError: not two matrices of at least two rows each, one a partner.
        """
        if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or len(a) < 2:
            raise ShapeError(
                f"expected rows (n, d_a) and their partners (n, d_b), n >= 2; got {tuple(a.shape)} and {tuple(b.shape)}"
            )
        with torch.autocast(a.device.type, enabled=False):
            correlations = _correlations(_centred(a), _centred(b), self.penalty)
        return -correlations[: self.components].mean()


def _correlations(a: Tensor, b: Tensor, penalty: float) -> Tensor:
    """The canonical correlations of centred rows, largest first: (min(d_a, d_b),)."""
    crossed = a.T @ b / (len(a) - 1)
    half = torch.linalg.solve_triangular(_factor(a, penalty), crossed, upper=False)
    whitened = torch.linalg.solve_triangular(_factor(b, penalty), half.T, upper=False)
    values: Tensor = torch.linalg.svdvals(whitened)
    return values.where(values > 10 * torch.finfo(values.dtype).eps, 0)


def _centred(rows: Tensor) -> Tensor:
    rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
    return rows - rows.mean(dim=0)


def _factor(rows: Tensor, penalty: float) -> Tensor:
    """The Cholesky factor of the penalised covariance: (n, d) centred rows -> (d, d) lower triangular."""
    covariance = rows.T @ rows / (len(rows) - 1)
    variance = covariance.diagonal().mean().clamp(min=1e-12)
    factor: Tensor = torch.linalg.cholesky(covariance + penalty * variance * torch.eye(rows.shape[1]).to(rows))
    return factor
