"""Recipes that come with the package: TOML files, each with what it is for in its first lines.

Reading their names needs no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from duretrieval import plugins
from duretrieval.errors import ConfigError

__all__ = ["FOLDER", "Ready", "locate", "ready"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ready:
    """A recipe that is here."""

    name: str
    about: str
    """The first line of its file."""
    rows: str
    """The line of its file that says what its data is: "(text, image); ..."."""
    path: Path
    reached: str
    """Figures and what they are of, as `benchmarks.recipes` measured them; empty where it has not."""


def ready() -> list[Ready]:
    """Every one of them, by name."""
    reached = json.loads((FOLDER / "reached.json").read_text(encoding="utf-8"))
    return [
        Ready(path.stem, _said(path, ""), _said(path, "Rows:"), path, reached.get(path.stem, ""))
        for path in sorted(FOLDER.glob("*.toml"))
    ]


def locate(given: str | Path) -> Path:
    """The recipe at a path, or the one that is here under a bare name: `pairs`.

    Raises:
        ConfigError: there is neither.
    """
    given = Path(given)
    if given.is_file():
        return given
    names = [path.stem for path in sorted(FOLDER.glob("*.toml"))]
    if given.name in names and given.parent == Path():
        return FOLDER / f"{given.name}.toml"
    what = f"{given} is a folder" if given.is_dir() else f"there is no recipe {given}"
    hint = plugins.suggest(given.stem, names)
    raise ConfigError(f"{what}; give a TOML file, or the name of a ready one.{hint} There are: {', '.join(names)}")


def _said(path: Path, what: str) -> str:
    """The first comment that begins with these words, without them."""
    comments = (line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    return " ".join(next((line for line in comments if line.startswith(what)), "").removeprefix(what).split())
