"""Find files in folders, each at the cost of one stat."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from duretrieval.errors import MediaError


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was found, or the reason a place could not be looked at."""

    path: Path
    stamp: str = ""
    """Size and time of change (ns): another stamp means the file may have changed."""
    problem: str | None = None


def walk(paths: Iterable[str | Path]) -> Iterator[Source]:
    """Every file at or below the paths, in order of name, folders where their name falls.

    Hidden files and folders (".name") are left out unless given themselves. Links are followed; a folder is entered
    once, however many links lead to it.

    Raises:
        MediaError: a path does not exist. Checked for all of them before the first file is given.
    """
    roots = [Path(path) for path in paths]
    for root in roots:
        if not os.path.lexists(root):
            raise MediaError(f"there is no file or folder at '{root}'; check the spelling")
    seen: set[tuple[int, int]] = set()
    return (source for root in roots for source in _at(root, seen))


def stamp(path: str | Path) -> str:
    """Size and time of change (ns), as in `Source.stamp`."""
    path = Path(path)
    return _stamp(path.stat())


def digest(path: str | Path) -> str:
    """Hash of a file's content: 32 hex digits of BLAKE2b, read in pieces."""
    path = Path(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _at(path: Path, seen: set[tuple[int, int]]) -> Iterator[Source]:
    try:
        facts = path.stat()
    except OSError as error:
        yield _unreadable(path, error)
        return
    if not stat.S_ISDIR(facts.st_mode):
        yield _file(path, facts)
        return
    if (facts.st_dev, facts.st_ino) in seen:
        return
    seen.add((facts.st_dev, facts.st_ino))
    yield from _inside(path, seen)


def _inside(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Source]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted((entry for entry in scan if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        yield _unreadable(folder, error)
        return
    for entry in entries:
        path = folder / entry.name
        try:
            if entry.is_dir():
                yield from _at(path, seen)
            else:
                yield _file(path, entry.stat())
        except OSError as error:
            yield _unreadable(path, error)


def _stamp(facts: os.stat_result) -> str:
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def _file(path: Path, facts: os.stat_result) -> Source:
    if not stat.S_ISREG(facts.st_mode):
        return Source(path, problem="it is not a file but a device, pipe or socket")
    return Source(path, _stamp(facts))


def _unreadable(path: Path, error: OSError) -> Source:
    if path.is_symlink() and not path.exists():
        return Source(path, problem="it is a link to nothing")
    return Source(path, problem=f"it cannot be looked at: {(error.strerror or str(error)).lower()}")
