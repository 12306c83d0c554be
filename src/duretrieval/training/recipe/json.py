"""A recipe as JSON, every default written out, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.recipe.toml import to_recipe


def to_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values."""
    table: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return table


def from_json(table: Any, where: str = "the recipe") -> Recipe:
    """The recipe that `to_json` wrote; where: what an error calls it.

    Raises:
        ConfigError: as `to_recipe`.
    """
    return to_recipe(_given(table), where)


def _given(value: Any) -> Any:
    """The value without settings that are None, which TOML does not know; what a part is made with stays as it is."""
    if isinstance(value, list):
        return [_given(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    plain = ("options", "augment")
    return {key: entry if key in plain else _given(entry) for key, entry in value.items() if entry is not None}
