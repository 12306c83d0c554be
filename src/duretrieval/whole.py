"""Files and folders that are written whole or not at all, and what a process that was killed left of them.

Whatever is being made lies in a hidden folder beside its place, `.NAME.xxxxxxxx.partial`, and is moved when it is done.
The maker holds a lock inside, which ends with its process, however that ends. So the next to write the same name can
tell what is left over from what is being made, and removes only the former. Numbers of processes could not: they come
round again. Where the file system passes no locks between machines, what another one makes looks left over: write
to one place from one machine at a time.
"""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from duretrieval.errors import ConfigError

LOCK = ".duretrieval.lock"
_ANY = "[0-9a-f]" * 8


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `place` when the block ends without an error.

    Until then nothing is at `place`; after an error nothing is left.  Folders above it are made.  What lies beside the
    new folder, in the one above it, goes with the block.

    Raises:
        ConfigError: something is at `place` already (an empty folder does not matter).
    """
    place = place.absolute()
    sweep(place.parent, glob.escape(place.name))
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise ConfigError(f"there is something at {place} already; give another folder, or remove that one first")
    with _beside(place) as partial:
        partial.mkdir()
        yield partial
        if place.exists():
            place.rmdir()
        partial.rename(place)


@contextmanager
def file(place: Path) -> Iterator[Path]:
    """A path to write a file at, which replaces the one at `place` when the block ends without an error."""
    with _beside(place.absolute()) as partial:
        yield partial
        partial.replace(place)


def write(place: Path, text: str) -> None:
    """Write a text file, UTF-8 with "\\n" between lines, whole or not at all."""
    with file(place) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    """The hash of a file, in hex: it tells whether all of it is as it was written."""
    with path.open("rb") as held:
        return file_digest(held, "sha256").hexdigest()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for temporary files, gone after the block; those of processes that were killed go first."""
    with _beside(Path(tempfile.gettempdir()) / "duretrieval") as place:
        place.mkdir()
        yield place


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what processes that are gone left in `folder` of things called `name`, a pattern."""
    for left in folder.glob(f".{name}.{_ANY}.partial"):
        with suppress(Timeout, OSError, NotImplementedError):  # it is held, or another user's
            if not (left / LOCK).exists():
                left.rmdir()  # killed before it was locked: then it is empty
                continue
            with FileLock(left / LOCK, timeout=0, thread_local=False):
                shutil.rmtree(left)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A path called as `place` in a locked folder beside it, which goes with the block."""
    place.parent.mkdir(parents=True, exist_ok=True)
    sweep(place.parent, glob.escape(place.name))
    made, lock = _locked(place)
    try:
        yield made / place.name
    finally:
        shutil.rmtree(made, ignore_errors=True)
        lock.release()


def _locked(place: Path) -> tuple[Path, FileLock]:
    while True:
        made = place.with_name(f".{place.name}.{uuid4().hex[:8]}.partial")
        made.mkdir(mode=0o700)
        lock = FileLock(made / LOCK, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (Timeout, FileNotFoundError):
            continue  # swept before it was locked
        return made, lock
