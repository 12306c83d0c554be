"""Where a store lies: everything that assumes a folder on this machine, and nothing else does.

A place is a path, or the address of object storage (`s3://bucket/name`), where there is nothing to lock or to tidy:
there Lance's own commit protocol keeps writers apart.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from duretrieval.errors import CollectionError, CollectionLocked, NotACollection

LOCK = "_writer.lock"
_OURS = frozenset({LOCK, "_versions", "_transactions", "_indices", "_deletions", "_refs", "data"})


def require(uri: str | Path) -> None:
    """Return when a store may lie at `uri`.

    Raises:
        NotACollection: nothing is there, or something else; the message says what.
    """
    path = _folder(uri)
    if path is None or _has_versions(path):
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
    if not path.exists() and old.exists():
        old.rename(path)
    return path.is_dir() and _has_versions(path)


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
    if path is None or not path.exists():
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
    path.mkdir(parents=True, exist_ok=True)
    held = FileLock(path / LOCK, timeout=0, thread_local=False)
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
