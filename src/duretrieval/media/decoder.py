"""Bytes to parts: one file, one chunk at a time."""

from __future__ import annotations

import stat
import warnings
from importlib import import_module
from pathlib import Path
from typing import Protocol

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.folders import no_file
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import HEAD_BYTES, Kind, sniff
from duretrieval.types import Reading

__all__ = ["Chunk", "Cursor", "decode"]


class Reader(Protocol):
    """Reads one chunk of the kinds it knows."""

    def __call__(self, path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None, /) -> Chunk:
        """Give the chunk; may raise anything, which `decode` turns into a MediaError."""
        ...


# Each module is imported on first use: reading pictures never loads FFmpeg.
MODULES = {
    Kind.TEXT: "plain",
    Kind.HTML: "webpage",
    Kind.MAIL: "mail",
    Kind.PDF: "pdf",
    Kind.OFFICE: "office",
    Kind.SVG: "svg",
    **dict.fromkeys((Kind.JPEG, Kind.PNG, Kind.GIF, Kind.WEBP, Kind.TIFF, Kind.BMP), "image"),
    **dict.fromkeys((Kind.AVIF, Kind.HEIF, Kind.JPEG2000, Kind.NETPBM, Kind.ICON, Kind.PHOTOSHOP), "image"),
}


def decode(path: str | Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """Decode the chunk of a file that begins at `start` (None: its beginning), sized and cut as `reading` says.

    Decoders are native code: run it through a `DecoderPool` unless the file is known to be good.

    Raises:
        MediaError: the file cannot be used; the message is a sentence about the file that does not repeat its path.
    """
    path = Path(path)
    kind = sniff(_head(path, limits), path.suffix)
    reader: Reader = import_module(f"duretrieval.media.{MODULES.get(kind, 'container')}").read
    try:
        # Libraries warn about what they repaired; what matters here is whether parts come out.
        with warnings.catch_warnings(action="ignore"):
            return reader(path, kind, reading, limits, start)
    except MediaError:
        raise
    except MemoryError as error:
        raise LimitExceeded(
            f"decoding it takes more memory than is free, or than the limit of {limits.memory_bytes:,} bytes; "
            "raise `memory_bytes` to read it"
        ) from error
    except Exception as error:
        raise DamagedMedia(f"the {kind.value} decoder failed: {_reason(error, path)}") from error


def _head(path: Path, limits: Limits) -> bytes:
    """The first bytes of what is a file, and not too large."""
    try:
        facts = path.stat()
        if not stat.S_ISDIR(facts.st_mode) and (problem := no_file(facts)):
            raise MediaError(problem)
        check("bytes", facts.st_size, limits.max_bytes, "max_bytes")
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise MediaError(f"it cannot be opened: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(f"no file can have the name {str(path)!r}") from error


def _reason(error: Exception, path: Path) -> str:
    """What the library said, on one line and without the path."""
    said = str(getattr(error, "strerror", None) or error) or type(error).__name__
    for name in (str(path.absolute()), str(path), path.name):
        said = said.replace(name, "the file")
    return " ".join(said.split())[:300]
