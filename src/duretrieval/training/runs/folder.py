"""What a run is of, in its folder: `recipe.json` and `run.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.model.seal import whole_file
from duretrieval.training.recipe.json import from_json
from duretrieval.training.recipe.recipe import Recipe


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


def write_json(path: Path, table: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    with whole_file(path) as part:
        part.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What training came to."""

    folder: Path
    model: Path
    """The model folder of the best check."""
    best_epoch: int
    """From 0; an epoch is the steps between two checks."""
    epochs: int
    """How many were run."""
    val: dict[str, float]
    test: dict[str, float]
    """Empty where the data has no test rows."""
    queries: dict[str, dict[str, int]]
    """val, test -> direction -> rows that ask in it"""
    seconds: float
    problems: int
