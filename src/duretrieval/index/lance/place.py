"""Where a store lies: everything that assumes a folder on this machine, and nothing else does.

A place is a path, or the address of object storage (`s3://bucket/name`), where there is nothing to lock or to tidy:
there Lance's own commit protocol keeps writers apart.

    parts.lance         the store
    .parts.lance.lock   held by the process that writes; it stays when the store is replaced
    parts.lance.old     the store before, for the moment in which another takes its place (`replace`)
"""

from __future__ import annotations

import os
import shutil
import weakref
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from duretrieval.errors import CollectionError, CollectionLocked, NotACollection
from duretrieval.index.lance import address
from duretrieval.index.lance.address import telling
from duretrieval.index.lance.journal import JOURNAL

PARTS = "parts.lance"
SWAP_S = 10.0
"""How long a reader waits for a store that is being replaced, which takes two renames."""
_OURS = frozenset({"_writer.lock", "_versions", "_transactions", "_indices", "_deletions", "_refs", "data", JOURNAL})


class Seen:
    """The folder of a store as it is now, told from any other that comes to lie at its path, however alike."""

    def __init__(self, uri: str | Path) -> None:
        self._path = address.folder(uri)
        self._stat = self._path.stat() if self._path else None
        with suppress(OSError):  # an open folder keeps its number, which another could have after it
            if self._path:
                held = os.open(self._path, os.O_RDONLY)
                weakref.finalize(self, os.close, held)
                self._stat = os.fstat(held)

    def there(self) -> bool:
        """Whether it still lies where it was."""
        if self._path is None or self._stat is None:
            return True
        try:
            return os.path.samestat(self._path.stat(), self._stat)
        except OSError:
            return False


def parts_of(path: str | Path) -> str:
    """Where the collection at `path` keeps its parts.

    Raises:
        NotACollection: it looks like an address, and is none that is known.
    """
    return f"{address.meant(path)}/{PARTS}"


def shown(uri: str | Path) -> str:
    """What a person calls the store at `uri`: the collection whose parts it holds."""
    return str(uri).removesuffix(f"/{PARTS}")


def folder(uri: str | Path) -> Path:
    """The folder of a store.

    Raises:
        CollectionError: it lies in object storage.
    """
    path = address.folder(uri)
    if path is None:
        raise CollectionError(f"{uri} lies in object storage, where files cannot be mended; index into a new place")
    return path


def require(uri: str | Path) -> None:
    """Return when a store may lie at `uri`.

    Raises:
        NotACollection: nothing is there, or something else; the message says what.
    """
    path = address.folder(uri)
    if path is None:
        return
    with telling(uri):
        if exists(uri):
            return
        if not path.exists():
            raise NotACollection(f"there is nothing at {path}; index something into it first, or check the path")
        if path.is_file():
            raise NotACollection(f"{path} is a file, not a collection; give the folder that `index` made")
        raise NotACollection(f"{path} is no collection: {_contents(path)}; give the folder that `index` made")


def exists(uri: str | Path) -> bool:
    """Whether a store lies at `uri`, or (for object storage) may lie there.

    A swap that was interrupted (`replace`) is undone first; one in the middle of which another process is, waited for.

    Raises:
        CollectionLocked: another process does not come to the end of it.
    """
    path = address.folder(uri)
    if path is None:
        return True
    with telling(uri):
        if not path.exists() and _old(path).exists():
            held = _acquire(path, SWAP_S)
            try:
                if not path.exists() and _old(path).exists():
                    _old(path).rename(path)
            finally:
                held.release()
        return path.is_dir() and _has_versions(path)


def is_store(folder: Path) -> bool:
    """Whether a folder is a store, of whatever name, or one that is being made."""
    begun = folder.name.startswith(PARTS) and _lock(folder).exists()
    return _has_versions(folder) or (folder / "_writer.lock").exists() or begun


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
    """Remove a store that is no longer wanted, whole, and its lock."""
    if path := address.folder(uri):
        if path.is_dir():
            _remove(path)
        for file in (path, _lock(path)):
            file.unlink(missing_ok=True)


def replace(uri: str | Path, by: str | Path) -> None:
    """Put the store `by` in the place of the one at `uri`, which is removed; the caller holds the lock of `uri`.

    A process that dies between the two renames leaves `uri.old`, which `exists` puts back; one that dies later leaves
    it to be removed with the next lock.

    Raises:
        CollectionError: either lies in object storage, where folders cannot be renamed.
    """
    path, new = address.folder(uri), address.folder(by)
    if path is None or new is None:
        raise CollectionError(f"{uri} lies in object storage, where a store cannot be swapped; index into a new place")
    _tidy(path)
    path.rename(_old(path))
    new.rename(path)
    discard(by)
    _tidy(path)


def require_room(uri: str | Path) -> None:
    """Return when a new store may be made at `uri`.

    Raises:
        CollectionError: a store is there already.
        NotACollection: something else is there.
    """
    path = address.folder(uri)
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


def clear(uri: str | Path) -> None:
    """Make `uri` ready for a new store: remove what a creation that was killed left there.

    Raises:
        CollectionError, NotACollection: as `require_room`; what is there is left alone.
    """
    require_room(uri)
    path = address.folder(uri)
    if path is not None and path.exists():
        _remove(path)


def lock(uri: str | Path) -> FileLock | None:
    """Take the right to write, which ends with `release()` or with the process; None where there is nothing to lock.

    Raises:
        CollectionLocked: another process, or another store in this one, is writing.
        CollectionError: nothing can be locked there.
    """
    path = address.folder(uri)
    if path is None:
        return None
    with telling(uri):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = _acquire(path, 0)
        _tidy(path)
    return held


def _acquire(path: Path, timeout_s: float) -> FileLock:
    held = FileLock(_lock(path), timeout=timeout_s, thread_local=False)
    try:
        held.acquire()
    except Timeout as error:
        raise CollectionLocked(
            f"another process is writing to {path}; wait until it ends, or stop it (`fuser {_lock(path)}` names it)"
        ) from error
    except OSError as error:
        if (sentence := address.refusal(path, error)) is not None:
            raise sentence from error
        what = "is a folder" if _lock(path).is_dir() else (error.strerror or str(error)).lower()
        raise CollectionError(
            f"{_lock(path)} cannot be locked: {what}; nothing can be written before it is a file of yours. "
            "It holds nothing, so it may be removed"
        ) from error
    return held


def _tidy(path: Path) -> None:
    """Remove the store that was replaced, where one has taken its place."""
    if path.exists() and _old(path).exists():
        _remove(_old(path))


def _remove(folder: Path) -> None:
    """A store; where a link leads to it, the link: what lies elsewhere may be of use to others."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _has_versions(path: Path) -> bool:
    """One that was made to its end has a journal, whatever became of its versions."""
    return (path / JOURNAL).exists() or any((path / "_versions").glob("*.manifest"))


def _contents(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir() if entry.name != "_writer.lock")
    if not names:
        return "it is an empty folder"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"it holds {', '.join(names[:3])}{more}"
