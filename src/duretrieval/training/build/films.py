"""A film is a picture where a recipe says nothing of films: the one place that knows."""

from __future__ import annotations

from duretrieval.training.recipe.recipe import Encoding, Recipe
from duretrieval.types import Modality

PICTURES = (Modality.IMAGE, Modality.VIDEO)


def encoding(recipe: Recipe, modality: Modality) -> Encoding:
    """How a recipe encodes a modality."""
    table = recipe.encoders
    return table.get(modality) or table.get(usual(modality)) or Encoding()


def usual(modality: Modality) -> Modality:
    """Whose settings a modality has where it has none of its own: a film, the picture's."""
    return Modality.IMAGE if modality is Modality.VIDEO else modality
