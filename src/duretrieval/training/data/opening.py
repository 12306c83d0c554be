"""Data by the reader that a recipe names."""

from __future__ import annotations

from pathlib import Path

from duretrieval.errors import ConfigError
from duretrieval.training.data.read import Read
from duretrieval.training.recipe.parts import make
from duretrieval.training.recipe.recipe import Data, Use


def read_data(data: Data, path: str | Path) -> Read:
    """What `data.reader` makes of a file or folder.

    Raises:
        UnknownPart, MissingExtra: as `parts.find`.
        ConfigError: there is nothing at the path, or no row can be used, or the reader has no such option.
    """
    path = Path(path)
    if not path.exists():
        raise ConfigError(f"there is no data at {path}; give the file or folder that reader {data.reader!r} reads")
    found: Read = make("train.readers", Use(data.reader, data.options), {}, {"path": path})
    if not found.samples:
        why = f": {found.problems[0]}" if found.problems else ""
        raise ConfigError(f"no row of {path} can be used by the reader {data.reader!r}{why}")
    return found
