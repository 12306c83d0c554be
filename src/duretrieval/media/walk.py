"""Which files there are below some paths, and how one tells that a file has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from duretrieval.errors import MediaError


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a folder that cannot be read (then with its problem)."""

    path: Path
    stamp: str
    problem: str | None = None


def walk(paths: Iterable[Path]) -> Iterator[Source]:
    """Every file below `paths`, sorted within its folder; files and folders that begin with a dot are passed over.

    A path given directly is taken whatever its name. Links to files are followed, links to folders are not, so a loop
    of them does no harm.

    Raises:
        MediaError: one of the paths does not exist (before anything is yielded).
    """
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise MediaError(f"there is nothing at {path}; check the path")
    for path in paths:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield Source(path, stamp(path))


def stamp(path: Path) -> str:
    """Size and time of change, "1024:1714567890000000000": tells for the price of a stat whether the file changed."""
    return _stamp(path.stat())


def digest(path: Path) -> str:
    """32 hex digits of the BLAKE2b hash of the file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _stamp(about: os.stat_result) -> str:
    return f"{about.st_size}:{about.st_mtime_ns}"


def _folder(folder: Path) -> Iterator[Source]:
    try:
        with os.scandir(folder) as entries:
            here = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Source(folder, "", f"the folder cannot be read: {error.strerror}")
        return
    for entry in here:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _folder(path)
            elif entry.is_file():
                yield Source(path, _stamp(entry.stat()))
        except OSError as error:
            yield Source(path, "", f"the file cannot be read: {error.strerror}")
