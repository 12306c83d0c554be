"""Where a store lies: everything that assumes a folder on this machine, and nothing else does.

A place is a path, or the address of object storage (`s3://bucket/name`), where there is nothing to lock or to tidy:
there Lance's own commit protocol keeps writers apart.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from duretrieval.errors import CollectionError, CollectionLocked, DuretrievalError, NotACollection

LOCK = "_writer.lock"
STORAGE = ("s3", "gs", "az", "abfss", "oss", "cos", "tos", "s3+ddb", "file-object-store")
"""Schemes of object storage that Lance knows and that outlives the process."""
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/+(?P<rest>.*)", re.DOTALL)
_OURS = frozenset({LOCK, "_versions", "_transactions", "_indices", "_deletions", "_refs", "data"})


def address(path: str | Path) -> str:
    """Where a person means: a folder, or object storage, also where a `Path` has made `s3:/bucket` of it.

    Raises:
        NotACollection: it looks like an address, and is none that is known.
    """
    typed = str(path)
    found = _ADDRESS.fullmatch(typed)
    if found is None:
        return typed
    scheme, rest = found["scheme"].lower(), found["rest"].rstrip("/")
    if scheme == "file":
        return f"/{rest}"
    if scheme in STORAGE:
        return f"{scheme}:///{rest}" if scheme.startswith("file") else f"{scheme}://{rest}"
    if Path(f"{found['scheme']}:").is_dir():
        return typed
    raise NotACollection(
        f"{found['scheme']}://{rest} is no address of a collection; give a folder, or an address that begins with "
        f"{', '.join(f'{known}://' for known in STORAGE[:3])} ..."
    )


def is_address(uri: str | Path) -> bool:
    """Whether it is object storage rather than a folder."""
    return _folder(uri) is None


def location(uri: str | Path) -> str:
    """As Lance is to be given it: of a folder the whole path, lest its name be taken for an address."""
    path = _folder(uri)
    return str(uri) if path is None else str(path.absolute())


@contextmanager
def telling(uri: str | Path) -> Iterator[None]:
    """What the disk or the object storage refuses, as a sentence.

    Raises:
        CollectionError: the disk is full, nothing may be read or written there, no one answers.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        ours = isinstance(error, DuretrievalError)
        if ours or not (isinstance(error, OSError) or "LanceError(IO)" in str(error) or is_address(uri)):
            raise
        reason, remedy = _refusal(error)
        raise CollectionError(f"the collection's place {uri} cannot be used: {reason}; {remedy}") from error


def _refusal(error: Exception) -> tuple[str, str]:
    """Why, and what to do."""
    said = str(error)
    within = re.search(r"os error (\d+)", said)
    number = (error.errno if isinstance(error, OSError) else None) or (int(within[1]) if within else None)
    match number:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full", "make room and run the same again, for what was finished is kept"
        case errno.EFBIG:
            return "a file would be larger than is allowed", "raise the limit (ulimit -f) and run the same again"
        case errno.EROFS:
            return "it is read-only", "give a place that can be written to, with -c"
        case errno.EACCES | errno.EPERM:
            return "permission denied", "ask its owner for the right to it, or give another place with -c"
        case None:
            return " ".join(said.split(", /")[0].split())[:300], "check the address, and that it can be reached"
    return os.strerror(number).lower(), "give another place with -c"


def require(uri: str | Path) -> None:
    """Return when a store may lie at `uri`.

    Raises:
        NotACollection: nothing is there, or something else; the message says what.
    """
    path = _folder(uri)
    if path is None:
        return
    with telling(uri):
        if _has_versions(path):
            return
        if not path.exists():
            raise NotACollection(f"there is nothing at {path}; index something into it first, or check the path")
        if path.is_file():
            raise NotACollection(f"{path} is a file, not a collection; give the folder that `index` made")
        raise NotACollection(f"{path} is no collection: {_contents(path)}; give the folder that `index` made")


def exists(uri: str | Path) -> bool:
    """Whether a store lies at `uri`, or (for object storage) may lie there.

    A swap that was interrupted (`replace`) is brought to its end first.
    """
    path = _folder(uri)
    if path is None:
        return True
    old = _old(path)
    with telling(uri):
        if not path.exists() and old.exists():
            old.rename(path)
        return path.is_dir() and _has_versions(path)


def is_store(folder: Path) -> bool:
    """Whether a folder is a store, of whatever name, or one that is being made."""
    return _has_versions(folder) or (folder / LOCK).exists()


def owner(folder: Path) -> Path | None:
    """The store that a folder lies in or consists of, by whatever link one came there; None for all others.

    A folder with other visible things beside a store is an ordinary one.
    """
    real = Path(os.path.realpath(folder))
    if inside := next((place for place in (real, *real.parents) if is_store(place)), None):
        return inside
    seen = [entry for entry in real.iterdir() if not entry.name.startswith(".")] if real.is_dir() else []
    return seen[0] if seen and all(is_store(entry) for entry in seen) else None


def discard(uri: str | Path) -> None:
    """Remove a store that is no longer wanted, whole."""
    if path := _folder(uri):
        shutil.rmtree(path)


def replace(uri: str | Path, by: str | Path) -> None:
    """Put the store `by` in the place of the one at `uri`, which is removed.

    A process that dies between the two renames leaves `uri.old`, which `exists` puts back.

    Raises:
        CollectionError: either lies in object storage, where folders cannot be renamed.
    """
    path, new = _folder(uri), _folder(by)
    if path is None or new is None:
        raise CollectionError(f"{uri} lies in object storage, where a store cannot be swapped; index into a new place")
    path.rename(_old(path))
    new.rename(path)
    shutil.rmtree(_old(path))


def clear(uri: str | Path) -> None:
    """Make `uri` ready for a new store: remove what a creation that was killed left there.

    Raises:
        CollectionError: a store is there already.
        NotACollection: something else is there, which is left alone.
    """
    path = _folder(uri)
    if path is None:
        return
    with telling(uri):
        if not path.exists():
            return
        if path.is_file():
            raise NotACollection(f"{path} is a file; a collection needs a folder of its own, give another path")
        if _has_versions(path):
            raise CollectionError(f"there is a collection at {path} already; open it, or give another path")
        if any(entry.name not in _OURS for entry in path.iterdir()):
            raise NotACollection(f"{path} is not empty: {_contents(path)}; a collection needs a folder of its own")
        for entry in path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)


def lock(uri: str | Path) -> FileLock | None:
    """Take the right to write, which ends with `release()` or with the process; None where there is nothing to lock.

    Raises:
        CollectionLocked: another process, or another store in this one, is writing.
    """
    path = _folder(uri)
    if path is None:
        return None
    held = FileLock(path / LOCK, timeout=0, thread_local=False)
    with telling(uri):
        path.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire()
        except Timeout as error:
            raise CollectionLocked(
                f"another process is writing to {path}; wait until it ends, or stop it (`fuser {path / LOCK}` names it)"
            ) from error
    return held


def _folder(uri: str | Path) -> Path | None:
    return None if isinstance(uri, str) and "://" in uri else Path(uri)


def _old(path: Path) -> Path:
    return path.with_name(path.name + ".old")


def _has_versions(path: Path) -> bool:
    return any((path / "_versions").glob("*.manifest"))


def _contents(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK)
    if not names:
        return "it is an empty folder"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"it holds {', '.join(names[:3])}{more}"
