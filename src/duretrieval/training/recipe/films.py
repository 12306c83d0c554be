"""A film is a picture where it has nothing of its own: the one place that knows.

Its encoder, its head and their settings are the picture's; and a model of one of the two serves the other, because to
an encoder of both a film is the mean of its frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from duretrieval.training.recipe.recipe import Encoding, Recipe, Use
from duretrieval.types import Modality

ALIKE = {Modality.IMAGE: Modality.VIDEO, Modality.VIDEO: Modality.IMAGE}
"""What one encoder may read beside a modality."""
HEAD = Use("mlp")

T = TypeVar("T")


def usual(modality: Modality) -> Modality:
    """Whose settings a modality has where it has none of its own: a film, the picture's."""
    return Modality.IMAGE if modality is Modality.VIDEO else modality


def encoding(recipe: Recipe, modality: Modality) -> Encoding:
    """How a recipe encodes a modality."""
    return _settings(recipe.encoders, modality, Encoding())


def head(recipe: Recipe, modality: Modality) -> Use:
    """The head that a recipe gives a modality."""
    return _settings(recipe.heads, modality, HEAD)


def shares_head(recipe: Recipe, modality: Modality, dim: Callable[[Modality], int]) -> bool:
    """Whether films, without a head of their own, come from the encoder of pictures, and so belong in one space.

    dim: length of the rows of a modality's encoder.
    """
    same = encoding(recipe, modality) == encoding(recipe, usual(modality))
    return modality not in recipe.heads and same and dim(modality) == dim(usual(modality))


def _settings(table: Mapping[Modality, T], modality: Modality, default: T) -> T:
    return table.get(modality) or table.get(usual(modality)) or default
