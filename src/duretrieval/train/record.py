"""What a run is of, in its folder: `recipe.json` and `run.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.train.recipe import Recipe, to_recipe


def described(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """A run's recipe and facts. Raises ConfigError where there is no run, or it is damaged."""
    try:
        table = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no run in {folder}; make one with: duretrieval train RECIPE --data DATA"
        ) from error
    except ValueError as error:
        raise ConfigError(f"recipe.json or run.json in {folder} is damaged ({error}); train again elsewhere") from error
    return from_json(table), facts


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
    for section in ("align", "fusion", "score", "codes"):
        if table[section] is not None:
            out[section] = flat(table[section])
    out["losses"] = [flat(entry) for entry in table["losses"]]
    out["data"] = flat(table["data"])
    return to_recipe(out)


def write_json(path: Path, table: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
