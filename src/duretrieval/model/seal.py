"""Writing a model folder: whole or not at all, with the hash, licence and origin of every file in model.toml."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError, ModelError
from duretrieval.model.toml import toml

FORMAT = 1
UNLISTED = frozenset({"model.toml", "README.md"})
"""Files of a model folder that model.toml says nothing about."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Under which licence a file may be used, and where it came from: an SPDX name and a sentence."""

    licence: str
    origin: str


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` when the block ends without an error.

    Until then nothing is at `folder`; after an error nothing is left.  Folders above it are made.

    Raises:
        ConfigError: something is at `folder` already (an empty folder does not matter).
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"there is something at {folder} already; give another folder, or remove that one first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A new file to write, which takes the place of `path` when the block ends without an error.

    shared: another process may write the same at the same time.  Else what a kill left is written over.
    """
    partial = path.with_name(f".{path.name}{f'.{os.getpid()}' * shared}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
    with whole_file(folder / "model.toml") as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    """The hash of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(path: Path, origin: Origin) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size, "licence": origin.licence, "origin": origin.origin}
