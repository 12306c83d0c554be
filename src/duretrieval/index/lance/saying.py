"""What goes wrong in Lance, as sentences: the files are damaged, the disk is full, or the store is another by now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duretrieval.errors import CollectionError, CollectionMoved, DamagedCollection, DuretrievalError
from duretrieval.index.lance import address, place
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.failures import is_failure, reason


@contextmanager
def saying(uri: str | Path, seen: place.Seen | None = None) -> Iterator[None]:
    """Turn what Lance raises in the block into a sentence about the collection at `uri`.

    Raises:
        CollectionMoved: another store, or none, lies at `uri` since `seen`.
        DamagedCollection: files cannot be read.
        CollectionError: they cannot be written, or this process may not; or what was being read was tidied away.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, DuretrievalError) or not is_failure(error):
            raise
        if seen and not seen.there():
            raise moved(uri) from error
        raise sentence(uri, error) from error


def sentence(uri: str | Path, error: BaseException) -> CollectionError:
    """What an error of Lance's says."""
    where = place.shown(uri)
    if (refused := address.refusal(where, error)) is not None:
        return refused
    files = damage(uri)
    if not files and "not found" in str(error).lower() and not address.is_address(uri):
        return CollectionError(
            f"the collection at {where} was changed and tidied while this was read for an hour or more; read it again"
        )
    what = f"{files[0].subject} {files[0].problem}" if files else reason(error)
    return damaged(uri, f"{what}, and so on for {len(files)} files" if len(files) > 1 else what)


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
