"""The files of a model folder: that each lies in it, and is the one that model.toml was written for."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from duretrieval.errors import ModelError
from duretrieval.whole import sha256

SETTLED_NS = 2_000_000_000
"""A file that was written later than this before it was hashed could change again without another time of change."""

NAMED = frozenset({".onnx", ".safetensors", ".json", ".tsv"})
"""Files that a part is told of by name."""

_known: dict[tuple[int, ...], str] = {}


def inside(folder: Path, name: str) -> Path:
    """`folder / name`, if that lies in the folder, links followed.

    Raises:
        ModelError: it lies elsewhere, or is no name of a file.
    """
    try:
        if (folder / name).resolve().is_relative_to(folder.resolve()):
            return folder / name
        reason = "leads out of the folder"
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL in it, a link to itself
        reason = f"is no name of a file ({error})"
    raise ModelError(f"{folder / 'model.toml'} names {name!r}, which {reason}; a model has all its files inside")


def check(folder: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Read a file of the model whole, unless this process has since it last changed, and compare its hash.

    Raises:
        ModelError: it is not the file that model.toml was written for.
    """
    if _hash(inside(folder, name)) != entry["sha256"]:
        raise ModelError(not_the_file(folder / name))


def not_the_file(path: Path) -> str:
    """What is said of a file with another hash."""
    return f"{path} is not the file model.toml was written for; install or export the model again"


def check_for(part: Any, folder: Path, options: Mapping[str, Any], files: Mapping[str, Any], ours: bool) -> None:
    """Check what a part is about to read: the files that its options name, or those of `part.load` where they do not.

    files: what [files] in model.toml says.  ours: whether the part is built in; another one may read any file, so then
    all are checked.  A graph may keep weights beside it, in files of any name that are no part's own kind (`NAMED`).

    Raises:
        ModelError: an option leads out of the folder, or a file is not what [files] says, or not in it.
    """
    strings = _strings({**_defaults(part.load), **options})
    named = {name for name in strings if os.path.isfile(inside(folder, name))}  # noqa: PTH113 (a prefix may be long)
    for name in sorted(named):
        if Path(name).as_posix() not in files:
            raise ModelError(f"{folder / name} is to be read, but model.toml has no hash of it; export the model again")
    read = {Path(name).as_posix() for name in named} | set(unnamed(files))
    for name in sorted(read if ours else files):
        check(folder, name, files[name])


def unnamed(files: Iterable[str]) -> Iterator[str]:
    """The files of a model that no part is told of by name: a graph may read them."""
    return (name for name in files if Path(name).suffix not in NAMED)


def _defaults(load: Callable[..., Any]) -> dict[str, Any]:
    return {p.name: p.default for p in inspect.signature(load).parameters.values() if p.default is not p.empty}


def _strings(value: Any) -> Iterator[str]:
    """Every string in an option, however deep: any may be the name of a file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _strings(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _strings(held)


def _hash(path: Path) -> str:
    state = path.stat()
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if key in _known:
        return _known[key]
    settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > SETTLED_NS
    found = sha256(path)
    if settled:
        _known[key] = found
    return found
