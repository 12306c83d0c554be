"""What goes wrong in Lance, as sentences: the files are damaged, the disk is full, or the store is another by now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from duretrieval.errors import CollectionError, CollectionMoved, DamagedCollection, DuretrievalError
from duretrieval.index.lance import place

FAILURES = (OSError, ValueError, RuntimeError, pa.ArrowException)
"""What Lance and Arrow raise when a file is not as it should be, and no exception of their own."""

_FULL = re.compile(r"no space left on device|disk quota exceeded|file too large", re.IGNORECASE)
_KEPT_OUT = re.compile(r"permission denied|too many open files|read-only file system", re.IGNORECASE)
_FILE = re.compile(r"(?:data|_versions|_deletions|_indices|_transactions)/[\w./-]*\w")


@contextmanager
def saying(uri: str | Path, seen: place.Seen | None = None) -> Iterator[None]:
    """Turn what Lance raises in the block into a sentence about the collection at `uri`.

    Raises:
        CollectionMoved: another store, or none, lies at `uri` since `seen`.
        DamagedCollection: files cannot be read.
        CollectionError: they cannot be written, or this process may not.
    """
    try:
        yield
    except DuretrievalError:
        raise
    except FAILURES as error:
        if seen and not seen.there():
            raise moved(uri) from error
        raise sentence(uri, error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Lance's Rust; it shares no base class with the others
            raise sentence(uri, error) from error
        raise


def sentence(uri: str | Path, error: BaseException) -> CollectionError:
    """What an error of Lance's says."""
    where, text = place.shown(uri), " ".join(str(error).split())
    if found := _FULL.search(text):
        return CollectionError(
            f"the collection at {where} cannot be written to: {found[0].lower()}. What it held is whole; make room, "
            "and run the same command again"
        )
    if found := _KEPT_OUT.search(text):
        return CollectionError(
            f"the collection at {where} cannot be used: {found[0].lower()}; nothing in it has changed"
        )
    return damaged(uri, reason(error))


def damaged(uri: str | Path, what: str) -> DamagedCollection:
    """The one sentence for damage."""
    where = place.shown(uri)
    return DamagedCollection(
        f"the collection at {where} is damaged: {what}. Mend it with: duretrieval verify --repair -c {where}"
    )


def moved(uri: str | Path) -> CollectionMoved:
    """The one sentence for a store that went."""
    return CollectionMoved(
        f"the collection at {place.shown(uri)} was migrated, made anew, moved or removed since it was opened; "
        "open it again"
    )


def reason(error: BaseException) -> str:
    """What an error of Lance's says, without the places in its source: the file and the first words."""
    text = " ".join(str(error).split())
    file = _FILE.search(text)
    words = re.split(r", /\S*\.rs:|\[?error_trace|: /", text.removeprefix("External error: "), maxsplit=1)[0]
    words = words.removeprefix("LanceError").strip()[:160]
    return f"{file[0]} cannot be read ({words})" if file and file[0] not in words else words or type(error).__name__
