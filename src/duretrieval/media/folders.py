"""Find files in folders, each at the cost of one stat."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from duretrieval.errors import MediaError

_BLOCK = 1 << 20
_SYSTEM = {"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "pstore"}
"""File systems without files: what looks like one there says nothing of its size, and may never end."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was found, or the reason a place could not be looked at."""

    path: Path
    stamp: str = ""
    """Size and time of change (ns): another stamp means the file may have changed."""
    problem: str | None = None
    size: int = 0
    """In bytes."""
    changed_s: float | None = None
    """Seconds since 1970, negative before; beyond any calendar where a clock was wrong."""


def walk(paths: Iterable[str | Path], leave_out: Callable[[Path], bool] | None = None) -> Iterator[Source]:
    """Every file at or below the paths, in order of name, folders where their name falls.

    Hidden files and folders (".name") are left out unless given themselves. Links are followed; a folder is entered
    once, however many links lead to it, and however deep it lies.  leave_out: true of a folder that is passed over with
    all that is below it, by whatever link one comes there.

    Raises:
        MediaError: a path does not exist. Checked for all of them before the first file is given.
    """
    roots = [Path(path) for path in paths]
    for root in roots:
        if not os.path.lexists(root):
            name = str(root).encode("utf-8", "backslashreplace").decode("utf-8")
            raise MediaError(f"there is no file or folder at '{name}'; check the spelling")
    return _walk(roots, leave_out or (lambda folder: False))


def look(path: Path) -> Source:
    """What `walk` says of one file."""
    try:
        return _file(path, path.stat())
    except OSError as error:
        return Source(path, problem=_reason(path, error))


def stamp(path: str | Path) -> str:
    """Size and time of change (ns), as in `Source.stamp`."""
    path = Path(path)
    return _stamp(path.stat())


def gone(path: Path) -> bool:
    """Whether nothing is there; not where that cannot be known: no permission, a share that does not answer."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a name that no file can have
        return True
    except OSError:
        return False
    return False


def digest(path: str | Path) -> str:
    """Hash of a file's content: 32 hex digits of BLAKE2b, read in pieces.

    What is read is what the file held when it was opened, so one that grows meanwhile has an end all the same.
    """
    found = hashlib.blake2b(digest_size=16)
    at_once = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # should it be a pipe by now
    with os.fdopen(os.open(path, at_once), "rb", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            found.update(block)
            left -= len(block)
    return found.hexdigest()


def no_file(facts: os.stat_result) -> str | None:
    """Why something that is not a folder cannot be read as a file: a pipe, a device, a view of the system."""
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a file but a device, pipe or socket"
    return _SHOWN if facts.st_dev in _system_devices() else None


_SHOWN = "it lies where the system shows itself (as in /proc, /sys and /dev), which is no place of files"


def _walk(roots: list[Path], leave_out: Callable[[Path], bool]) -> Iterator[Source]:
    """With a stack of its own, because folders may lie deeper than calls can."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Iterator[tuple[Path, bool]]] = [iter([(root, False) for root in roots])]
    while waiting:
        path, is_link = next(waiting[-1], (None, False))
        if path is None:
            waiting.pop()
            continue
        if is_link and _leads_into(path, leave_out):
            continue
        try:
            facts = path.stat()
            if not stat.S_ISDIR(facts.st_mode):
                yield _file(path, facts)
            elif facts.st_dev in _system_devices():
                yield Source(path, problem=_SHOWN)
            elif (facts.st_dev, facts.st_ino) not in seen and not leave_out(path):
                seen.add((facts.st_dev, facts.st_ino))
                waiting.append(iter(_entries(path)))
        except OSError as error:
            if os.path.lexists(path) or error.errno != errno.ENOENT:  # else it went away while we looked
                yield Source(path, problem=_reason(path, error))


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """What is visible in a folder, by name, and whether it is a link."""
    with os.scandir(folder) as scan:
        found = sorted((entry.name, entry.is_symlink()) for entry in scan if not entry.name.startswith("."))
    return [(folder / name, is_link) for name, is_link in found]


def _leads_into(link: Path, leave_out: Callable[[Path], bool]) -> bool:
    real = Path(os.path.realpath(link))
    return any(leave_out(place) for place in (real, *real.parents))


def _stamp(facts: os.stat_result) -> str:
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def _file(path: Path, facts: os.stat_result) -> Source:
    if problem := no_file(facts):
        return Source(path, problem=problem)
    return Source(path, _stamp(facts), size=facts.st_size, changed_s=facts.st_mtime)


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT and os.path.islink(path):  # noqa: PTH114  (pathlib's raises for a name too long)
        return "it is a link to nothing"
    return f"it cannot be looked at: {(error.strerror or str(error)).lower()}"


@cache
def _system_devices() -> frozenset[int]:
    """The devices (`st_dev`) of the file systems in `_SYSTEM`; on systems without /proc there are none."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    mounts = ((line.split()[2], line.partition(" - ")[2].split()[0]) for line in lines)
    numbers = (device.split(":") for device, kind in mounts if kind in _SYSTEM)
    return frozenset(os.makedev(int(major), int(minor)) for major, minor in numbers)
