"""What a run is of, in its folder: `recipe.json`, `run.json` and `splits.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval import whole
from duretrieval.errors import ConfigError
from duretrieval.training.data.read import SPLITS
from duretrieval.training.recipe.json import from_json
from duretrieval.training.recipe.recipe import Recipe


def described(folder: Path) -> Recipe:
    """A run's recipe.

    Raises:
        ConfigError: there is no run, or its recipe is damaged.
    """
    path = folder / "recipe.json"
    return from_json(_read(path), str(path))


def facts(folder: Path) -> dict[str, Any]:
    """What else is known of a run: its `data`, a path or None, and their `digest`.

    Raises:
        ConfigError: there is no run, or what is known of it is damaged.
    """
    path = folder / "run.json"
    table = _read(path)
    if not isinstance(table, dict) or not {"data", "digest"} <= table.keys():
        raise _damaged(path, "it has no data and digest")
    if not isinstance(table["data"], str | None) or not isinstance(table["digest"], str):
        raise _damaged(path, "its data and digest are no strings")
    return table


def splits(folder: Path) -> dict[str, list[str]]:
    """The ids of a run's train, val and test rows.

    Raises:
        ConfigError: the run has none, or they are damaged.
    """
    path = folder / "splits.json"
    if not path.is_file():
        raise ConfigError(
            f"the run in {folder} does not say which rows it had: there is no {path.name}, which the same command "
            "with --resume writes"
        )
    table = _read(path)
    if not isinstance(table, dict) or not all(_is_ids(table.get(name)) for name in SPLITS):
        raise _damaged(path, f"it has no lists of ids for {', '.join(SPLITS)}")
    return table


def _is_ids(held: Any) -> bool:
    return isinstance(held, list) and all(isinstance(one, str) for one in held)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no run in {path.parent}; make one with: duretrieval train RECIPE --data DATA"
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> ConfigError:
    return ConfigError(f"{path} is damaged ({why}); train again elsewhere")


def write_json(path: Path, table: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    whole.write(path, json.dumps(table, indent=2, ensure_ascii=False) + "\n")


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
