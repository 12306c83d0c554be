"""Canonical axes for rows that deep CCA taught.

The loss asks how much two views have in common, in whatever axes each has it: a row of one cannot be compared with a
row of the other before linear CCA has turned both (Andrew, Arora, Bilmes and Livescu 2013, "Deep canonical correlation
analysis", section 3).  Like the statistics of batch normalisation, the turn is fitted to the training rows, before each
check, and holds in evaluation only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.align.affine import Affine
from duretrieval.align.axes import principal_axes
from duretrieval.align.cca import Cca
from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.data.batch import View
from duretrieval.training.recipe.films import ALIKE
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.types import Floats, Modality

PENALTY = 1e-3
"""Of the linear CCA, in units of the mean variance, as the loss has it."""
POWER = 4.0
"""Of the correlations by which components are weighted, as `Cca` has it."""


class Canonical(nn.Module):
    """Rows (n, dim) of either side in the axes that both share: unit rows (n, dim), as `align.cca.Cca` has them.

    Components beyond those in which the rows vary are 0.  sides: the modalities of each of the two views.  Until `fit`,
    rows stay as they are.
    """

    means: Tensor
    weights: Tensor
    correlations: Tensor
    fitted: Tensor

    def __init__(self, sides: tuple[Sequence[Modality], Sequence[Modality]], dim: int) -> None:
        super().__init__()
        self.sides = (tuple(sides[0]), tuple(sides[1]))
        self.register_buffer("means", torch.zeros(2, dim))
        self.register_buffer("weights", torch.zeros(2, dim, dim))
        self.register_buffer("correlations", torch.zeros(dim))
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    def forward(self, rows: Tensor, modality: Modality) -> Tensor:
        """(n, dim) -> (n, dim) unit rows; as they are in training, and before `fit`."""
        if self.training or not bool(self.fitted):
            return rows
        side = next(i for i, modalities in enumerate(self.sides) if modality in modalities)
        turned = (rows.float() - self.means[side]) @ self.weights[side] * self.correlations**POWER
        return normalize(turned, dim=1).to(rows.dtype)

    def fit(self, x: View, y: View) -> None:
        """Fit to the rows that have both views, as they are before the turn."""
        both = x.present & y.present
        a, b = (view.rows[both].double().cpu().numpy() for view in (x, y))
        dim = len(self.correlations)
        k = min(dim, *(len(principal_axes(rows).energies) for rows in (a, b)))
        found = Cca.fit(
            a, b, x_modalities=self.sides[0], y_modalities=self.sides[1], dim=k, penalty=PENALTY, power=POWER
        )
        for side, affine in enumerate((found.x, found.y)):
            self.means[side] = torch.from_numpy(np.array(affine.mean))
            self.weights[side] = torch.from_numpy(np.pad(affine.weights, ((0, 0), (0, dim - k))))
        self.correlations.copy_(torch.from_numpy(np.pad(found.correlations, (0, dim - k))))
        self.fitted.fill_(True)

    def forget(self) -> None:
        """Leave rows as they are until the next `fit`."""
        self.fitted.fill_(False)

    @property
    def aligner(self) -> Cca:
        """The same for the engine."""
        shift = np.zeros(len(self.correlations))
        x, y = (Affine(self._array(self.means[i]), self._array(self.weights[i]), shift) for i in (0, 1))
        return Cca(x, y, self._array(self.correlations), *self.sides, POWER)

    @staticmethod
    def _array(tensor: Tensor) -> Floats:
        return tensor.cpu().numpy().astype(np.float64)


def canonical_for(recipe: Recipe, columns: Mapping[str, Modality]) -> Canonical | None:
    """What the losses of a recipe need before its rows can be compared; None where they compare rows themselves.

    Raises:
        ConfigError: they need it, and there are not two views of different modalities, each of one column.
    """
    if not needs_canonical(recipe):
        return None
    views = [tuple(columns[name] for name in view) for view in recipe.views]
    if len(views) != 2 or any(len(view) != 1 for view in views) or views[0] == views[1] or recipe.score is not None:
        raise ConfigError(
            "deep-cca alone teaches two views of different modalities, each of one column, which the cosine compares; "
            "for other views, or with a [score], put a loss of scores such as infonce beside it"
        )
    (x,), (y,) = views
    return Canonical((_side(x, y), _side(y, x)), recipe.dim)


def _side(modality: Modality, other: Modality) -> tuple[Modality, ...]:
    """A view's modality, and what the same encoder reads."""
    twin = ALIKE.get(modality)
    return (modality,) if twin is None or twin is other else (modality, twin)


def needs_canonical(recipe: Recipe) -> bool:
    """Whether the losses leave the axes of the views to a linear CCA: `any_axes` in one, and none reads scores."""
    found = [parts.find("train.losses", loss.use) for loss in recipe.losses]
    compared = any(getattr(loss, "reads", "scores") != "rows" for loss in found)
    return not compared and any(getattr(loss, "any_axes", False) for loss in found)
