"""One file in, its parts out: the reader is chosen by what the file is, not by what it is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from duretrieval.errors import DamagedMedia, DuretrievalError, EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.sniff import HEAD, Kind, sniff
from duretrieval.types import Reading

__all__ = ["Chunk", "Cursor", "decode"]

Reader = Callable[[Path, Reading, Limits, Cursor | None], Chunk]
# Imported on first use, so that indexing pictures never loads a PDF library.
_READERS = {
    Kind.TEXT: "text",
    Kind.HTML: "html",
    Kind.PDF: "pdf",
    Kind.OFFICE: "office",
    Kind.IMAGE: "image",
    Kind.SVG: "svg",
    Kind.AV: "av",
    Kind.UNKNOWN: "av",  # FFmpeg knows more containers than `sniff`
}


def decode(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """The parts of a file from `start` on, a bounded amount; ask again with `chunk.next` until that is None.

    Raises:
        UnsupportedMedia, DamagedMedia, EmptyMedia, LimitExceeded: the file cannot be used; the message says why.
        MissingExtra: it is an Office document, and the extra `office` is not installed.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise DamagedMedia(f"it cannot be opened: {error.strerror}") from error
    if size > limits.max_bytes:
        raise LimitExceeded(f"it has {size / 1e9:.1f} GB; the limit is {limits.max_bytes / 1e9:g} (Limits.max_bytes)")
    kind = sniff(head)
    if kind is Kind.EMPTY:
        raise EmptyMedia("the file is empty")
    if kind not in _READERS:
        raise UnsupportedMedia(
            f"it is {'an' if kind is Kind.ARCHIVE else 'a'} {kind.value}, which holds nothing to find"
        )
    read: Reader = import_module(f"duretrieval.media.{_READERS[kind]}").read
    try:
        return read(path, reading, limits, start)
    except DuretrievalError:
        raise
    except MemoryError as error:
        raise too_much_memory(limits) from error
    except Exception as error:  # whatever a decoder throws at a damaged file is that file's problem
        raise DamagedMedia(f"its {kind.value} decoder failed: {type(error).__name__}: {error}"[:500]) from error


def too_much_memory(limits: Limits) -> LimitExceeded:
    """The error for a file whose decoder asks for more memory than it may have."""
    return LimitExceeded(
        f"decoding it takes more than {limits.memory_bytes / 1e9:g} GB of memory (Limits.memory_bytes)"
    )
