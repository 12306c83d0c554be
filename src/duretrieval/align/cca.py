"""Two spaces to a third, whose axes are what the two have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.align.affine import Affine, frozen
from duretrieval.align.axes import Axes, principal_axes
from duretrieval.align.moments import product
from duretrieval.align.pairs import Rows, check_pairs
from duretrieval.arrays import read, write
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Floats, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Cca:
    """Projects two kinds of vectors on the directions in which they correlate, then makes them unit.

    a_j, b_j = argmax corr(X a, Y b), uncorrelated with those before (Hotelling 1936, "Relations between two sets of
    variates"), with Cxx + penalty I for Cxx and likewise Cyy (Hardoon, Szedmak & Shawe-Taylor 2004, "Canonical
    correlation analysis: an overview with application to learning methods", section 4). In closed form
    (Cxx + penalty I)^-½ Cxy (Cyy + penalty I)^-½ = U diag(correlations) Vᵀ.
    Component j is then multiplied by correlations_j^power, so that what the two share most counts most
    (Gong et al. 2014, "A multi-view embedding space", eq. 9).

    x, y: to the shared space, (d_x -> dim) and (d_y -> dim).  correlations: (dim,), largest first, lowered by the
    penalty.  x_modalities, y_modalities: which modalities each side carries.  power: 0 is CCA as Hotelling has it.

    Raises:
        ConfigError: a side has no modality, the sides share one, or the power is below 0 or not finite.
        ShapeError: the sides do not end in as many components as there are correlations.
    """

    x: Affine
    y: Affine
    correlations: Floats
    x_modalities: tuple[Modality, ...]
    y_modalities: tuple[Modality, ...]
    power: float = 4.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "correlations", frozen(self.correlations))
        if not 0 <= self.power < math.inf:
            raise ConfigError(f"power is {self.power:g}; it must be 0 or more (0 counts every component alike)")
        if (self.x.dim,) != self.correlations.shape or (self.y.dim,) != self.correlations.shape:
            raise ShapeError(
                f"expected x and y to end in as many components as there are correlations; got {self.x.dim}, "
                f"{self.y.dim} and correlations of shape {self.correlations.shape}"
            )
        both = set(self.x_modalities) & set(self.y_modalities)
        if both or not self.x_modalities or not self.y_modalities:
            raise ConfigError(
                f"x is {_names(self.x_modalities)} and y is {_names(self.y_modalities)}; each needs at least one "
                "modality, and none may be on both sides, because the modality decides which projection a vector gets"
            )

    @classmethod
    def fit(
        cls,
        x: Rows,
        y: Rows,
        *,
        x_modalities: Sequence[Modality],
        y_modalities: Sequence[Modality],
        dim: int,
        penalty: float = 0.1,
        power: float = 4.0,
    ) -> Cca:
        """Fit to pairs x (n, d_x), y (n, d_y), as `dim` components.

        penalty: unlike in the paper, in units of the side's mean variance, so that it does not depend on how long
        the vectors are. 0 finds perfect correlations in noise where there are not far more pairs than directions.

        Raises:
            ShapeError, ConfigError: as `check_pairs` and `Cca`; or dim or penalty cannot be used.
        """
        if not 0 <= penalty < math.inf:
            raise ConfigError(f"penalty is {penalty:g}; it must be 0 or more, in units of the mean variance")
        check_pairs(x, y)
        axes_x, axes_y = principal_axes(x), principal_axes(y)
        a, b, correlations = _components(axes_x, axes_y, product(x, axes_x.mean, y, axes_y.mean), penalty)
        if not 1 <= dim <= len(correlations):
            raise ConfigError(
                f"dim is {dim}; x varies in {len(axes_x.energies)} directions and y in {len(axes_y.energies)}, "
                f"so it must be 1 to {len(correlations)}; more needs more pairs or wider vectors"
            )
        return cls(
            Affine(axes_x.mean, a[:, :dim], np.zeros(dim)),
            Affine(axes_y.mean, b[:, :dim], np.zeros(dim)),
            correlations[:dim],
            tuple(x_modalities),
            tuple(y_modalities),
            power,
        )

    @property
    def dim(self) -> int:
        """Length of the rows that come out."""
        return self.x.dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d_x) or (n, d_y), as the modality says -> (n, dim) unit rows.

        Raises:
            ConfigError: it was not fitted to that modality.
            ShapeError: the rows have another length than those that side was fitted to.
        """
        if modality not in self.x_modalities + self.y_modalities:
            raise ConfigError(
                f"this aligner was fitted to {_names(self.x_modalities)} and {_names(self.y_modalities)}, not to "
                f"{modality}; fit another to pairs with {modality}, or name {modality} among the modalities of the "
                "side whose encoder it shares"
            )
        side = self.x if modality in self.x_modalities else self.y
        return unit(side(vectors) * (self.correlations**self.power).astype(np.float32))

    @classmethod
    def load(
        cls, folder: str | Path, *, file: str, x_modalities: Sequence[str], y_modalities: Sequence[str], power: float
    ) -> Cca:
        """The aligner that `save` wrote. Raises ModelError where the file is not such an aligner."""
        path = Path(folder) / file
        return cls(
            Affine.load(path, "x_"),
            Affine.load(path, "y_"),
            read(path, "correlations"),
            tuple(map(Modality, x_modalities)),
            tuple(map(Modality, y_modalities)),
            power,
        )

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors; returns the options that `load` needs to find it."""
        arrays = {**self.x.arrays("x_"), **self.y.arrays("y_"), "correlations": self.correlations}
        return {
            "file": write(folder, name, **arrays),
            "x_modalities": [m.value for m in self.x_modalities],
            "y_modalities": [m.value for m in self.y_modalities],
            "power": self.power,
        }


def _components(x: Axes, y: Axes, cross: Floats, penalty: float) -> tuple[Floats, Floats, Floats]:
    """All canonical directions in columns and their correlations: (d_x, r), (d_y, r), (r,).

    cross: (d_x, d_y) XᵀY, means removed.
    """
    white_x, white_y = _whitening(x, penalty), _whitening(y, penalty)
    u, s, vt = np.linalg.svd(white_x.T @ cross @ white_y, full_matrices=False)
    a, b = white_x @ u, white_y @ vt.T
    # A component may be turned round on both sides at once: the largest weight of x is made positive.
    signs = np.sign(a[np.argmax(np.abs(a), axis=0), np.arange(len(s))])
    return a * signs, b * signs, np.minimum(s, 1.0)


def _whitening(axes: Axes, penalty: float) -> Floats:
    """V (E + penalty mean(E))^-½: (d, r), which makes every direction that matters about equally long."""
    mean_energy = axes.energies.sum() / len(axes.mean)
    scaled: Floats = axes.directions / np.sqrt(axes.energies + penalty * mean_energy)
    return scaled


def _names(modalities: Sequence[Modality]) -> str:
    return "+".join(modalities) or "nothing"
