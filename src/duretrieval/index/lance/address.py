"""Where a person means: a folder on this machine, or the address of object storage; and what a place refuses."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duretrieval.errors import CollectionError, DuretrievalError, NotACollection

STORAGE = ("s3", "gs", "az", "abfss", "oss", "cos", "tos", "s3+ddb", "file-object-store")
"""Schemes of object storage that Lance knows and that outlives the process."""
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/+(?P<rest>.*)", re.DOTALL)


def meant(path: str | Path) -> str:
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


def folder(uri: str | Path) -> Path | None:
    """The folder at a place; None where it is object storage."""
    return None if isinstance(uri, str) and "://" in uri else Path(uri)


def is_address(uri: str | Path) -> bool:
    """Whether it is object storage rather than a folder."""
    return folder(uri) is None


def location(uri: str | Path) -> str:
    """As Lance is to be given it: of a folder the whole path, lest its name be taken for an address."""
    path = folder(uri)
    return str(uri) if path is None else str(path.absolute())


def refusal(uri: str | Path, error: BaseException) -> CollectionError | None:
    """The sentence for what the disk or the object storage refuses; None where something else went wrong."""
    within = re.search(r"os error (\d+)", str(error))
    number = (error.errno if isinstance(error, OSError) else None) or (int(within[1]) if within else None)
    match number:
        case errno.ENOSPC | errno.EDQUOT:
            why = "the disk is full; make room and run the same again, for what was finished is kept"
        case errno.EFBIG:
            why = "a file would be larger than is allowed; raise the limit (ulimit -f) and run the same again"
        case errno.EROFS:
            why = "it is read-only; give a place that can be written to, with -c"
        case errno.EACCES | errno.EPERM:
            why = "permission denied; ask its owner for the right to it, or give another place with -c"
        case errno.EMFILE | errno.ENFILE:
            why = "too many open files; close some, or raise the limit (ulimit -n), and run the same again"
        case _ if is_address(uri):
            said = " ".join(str(error).split(", /")[0].split())[:300]
            why = f"{said}; check the address, and that it can be reached"
        case _:
            return None
    return CollectionError(f"the collection's place {uri} cannot be used: {why}")


@contextmanager
def telling(uri: str | Path) -> Iterator[None]:
    """What the system refuses in the block, as a sentence.

    Raises:
        CollectionError: the disk is full, nothing may be read or written there, no folder can be there.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, DuretrievalError):
            raise
        if (sentence := refusal(uri, error)) is not None:
            raise sentence from error
        if not isinstance(error, OSError):
            raise
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        raise CollectionError(
            f"the collection's place {uri} cannot be used: {why}; give another place with -c"
        ) from error
