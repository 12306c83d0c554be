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


def from_json(table: dict[str, Any]) -> Recipe:
    """The recipe that `to_json` wrote."""

    def flat(entry: dict[str, Any] | None) -> dict[str, Any] | None:
        if entry is None:
            return None
        return {**entry["options"], **{key: v for key, v in entry.items() if key != "options" and v is not None}}

    out = {key: value for key, value in table.items() if value is not None}
    for section in ("encoders", "heads"):
        out[section] = {modality: flat(entry) for modality, entry in table[section].items()}
    for section in ("align", "fusion", "score", "codes", "index"):
        if table.get(section) is not None:
            out[section] = flat(table[section])
    out["losses"] = [flat(entry) for entry in table["losses"]]
    out["data"] = flat(table["data"])
    out["fit"] = {key: flat(value) if key == "sampler" else value for key, value in table["fit"].items()}
    return to_recipe(out)
