"""Sealing a model folder: the hash, licence and origin of every file in model.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval import whole
from duretrieval.errors import ModelError
from duretrieval.model.toml import toml
from duretrieval.whole import sha256

FORMAT = 1
UNLISTED = frozenset({"model.toml", "README.md"})
"""Files of a model folder that model.toml says nothing about."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Under which licence a file may be used, and where it came from: an SPDX name and a sentence."""

    licence: str
    origin: str


def seal(folder: Path, card: Mapping[str, Any], origins: Mapping[str, Origin]) -> None:
    """Write model.toml: what `card` says, then size, SHA-256, licence and origin of every file in the folder.

    card: `format` (added where it lacks), `name`, `dim`, `encoders` and what else `Model.load` reads; values as TOML
    has them, None is left out.  origins: file -> where it came from, with "/" between folder and file.  The same
    files and card give the same bytes, and so the same fingerprint.

    Raises:
        ModelError: a file has no origin, or there is an origin for a file that is not there.
        ConfigError: a value of the card cannot be written in TOML.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [name for name in files if name not in UNLISTED]
    if missing := sorted(set(origins) - set(files)):
        raise ModelError(f"{folder} is incomplete: there is an origin for {missing[0]}, but no such file")
    if unknown := [name for name in files if name not in origins]:
        raise ModelError(
            f"{folder / unknown[0]} has no origin; say under which licence it is and where it came from, or remove it"
        )
    entries = {name: _entry(folder / name, origins[name]) for name in files}
    if not files:
        card = {**card, "files": {}}
    text = toml({"format": FORMAT, **card}) + "".join(
        f"\n[files.{json.dumps(name, ensure_ascii=False)}]\n{toml(entry)}" for name, entry in entries.items()
    )
    whole.write(folder / "model.toml", text)


def _entry(path: Path, origin: Origin) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size, "licence": origin.licence, "origin": origin.origin}
