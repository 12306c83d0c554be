"""Alignment without steps: the aligners that have a closed form, or are fitted whole, in the place of heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.align.fitting import fit_aligner
from duretrieval.errors import ConfigError
from duretrieval.protocols import Aligner
from duretrieval.training import parts
from duretrieval.training.data.batches import Rows
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.types import Array, Modality


class Fitted(nn.Module):
    """An aligner of the engine as a head: nothing in it learns any more."""

    def __init__(self, aligner: Aligner, modality: Modality) -> None:
        super().__init__()
        self.aligner, self.modality = aligner, modality

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, dim_in) -> (b, dim) unit rows."""
        return torch.from_numpy(self.aligner(vectors.detach().cpu().numpy(), self.modality)).to(vectors.device)


def fit_heads(
    recipe: Recipe, rows: Rows, progress: Callable[[str, int, int], None] | None = None
) -> dict[Modality, Fitted]:
    """Fit [align] to the training rows: every other modality onto one of them, pair by pair.

    `ridge` and `procrustes` carry the others into the space of `onto` (text, where there is text), which stays as it
    is; `cca` carries two modalities into a space of their own.  A row of several windows counts once, as their mean,
    so that a long file weighs no more than a short one; what is fitted then carries each window.  progress: told of the
    steps of what takes long (`adversarial`).

    Raises:
        ConfigError: an encoder learns, or the aligner does not suit the number of modalities or the space.
    """
    spec = recipe.align
    assert spec is not None
    options = dict(spec.options)
    sides = _sides(rows)
    named = options.pop("onto", Modality.TEXT if Modality.TEXT in sides else next(iter(sides)))
    if named not in list(sides) or len(sides) < 2:
        raise ConfigError(f"[align] fits other modalities onto {named}; the data has {', '.join(sides) or 'none'}")
    onto = Modality(named)
    if spec.use == "cca":
        return _cca(recipe, rows, sides, options)
    width = _width(rows, sides[onto])
    if recipe.dim != width:
        raise ConfigError(
            f"[align] {spec.use!r} ends in the space of {onto}, which has {width} dimensions; set dim = {width}"
        )
    heads: dict[Modality, Fitted] = {onto: Fitted(_Same(width), onto)}
    for modality, column in sides.items():
        if modality is not onto:
            x, y = _pairs(rows, column, sides[onto])
            aligner = fit_aligner(spec.use, x, y, table=parts.TABLE, progress=progress, **options)
            heads[modality] = Fitted(aligner, modality)
    return heads


def _cca(recipe: Recipe, rows: Rows, sides: Mapping[Modality, str], options: dict[str, Any]) -> dict[Modality, Fitted]:
    if len(sides) != 2:
        raise ConfigError(f"[align] 'cca' has two sides, and the data has {', '.join(sides)}; use ridge, or two views")
    (a, column_a), (b, column_b) = sides.items()
    x, y = _pairs(rows, column_a, column_b)
    aligner = fit_aligner("cca", x, y, x_modalities=[a], y_modalities=[b], dim=recipe.dim, **options)
    return {a: Fitted(aligner, a), b: Fitted(aligner, b)}


class _Same:
    """The space that the others are carried into."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        return vectors


def _sides(rows: Rows) -> dict[Modality, str]:
    """The first column of each modality."""
    found: dict[Modality, str] = {}
    for name, column in rows.columns.items():
        if column.rows is None:
            raise ConfigError(
                f"[align] fits frozen rows, and the encoder of {column.modality} learns; leave `train` out, or use "
                "[heads] instead of [align]"
            )
        found.setdefault(column.modality, name)
    return found


def _pairs(rows: Rows, a: str, b: str) -> tuple[Array, Array]:
    x, y = rows.columns[a], rows.columns[b]
    both = x.present & y.present & rows.linked.numpy()
    return np.ascontiguousarray(x.means()[both]), np.ascontiguousarray(y.means()[both])


def _width(rows: Rows, column: str) -> int:
    held = rows.columns[column].rows
    assert held is not None
    return int(held.shape[1])
