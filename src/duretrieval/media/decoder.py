"""Bytes to parts: one file, one chunk at a time."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Protocol

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.kinds import MODULES, kind_of
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

__all__ = ["Chunk", "Cursor", "decode"]


class Reader(Protocol):
    """Reads one chunk of the kinds it knows."""

    def __call__(self, path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None, /) -> Chunk:
        """Give the chunk; may raise anything, which `decode` turns into a MediaError."""
        ...


def decode(path: str | Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """Decode the chunk of a file that begins at `start` (None: its beginning), sized and cut as `reading` says.

    Decoders are native code: run it through a `DecoderPool` unless the file is known to be good.

    Raises:
        MediaError: the file cannot be used; the message is a sentence about the file that does not repeat its path.
    """
    path = Path(path)
    kind = kind_of(path, limits)
    reader: Reader = import_module(f"duretrieval.media.{MODULES.get(kind, 'ffmpeg')}").read
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


def _reason(error: Exception, path: Path) -> str:
    """What the library said, on one line and without the path."""
    said = str(getattr(error, "strerror", None) or error) or type(error).__name__
    for name in (str(path.absolute()), str(path), path.name):
        said = said.replace(name, "the file")
    return " ".join(said.split())[:300]
