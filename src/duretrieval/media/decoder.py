"""Bytes to parts: one file, one chunk at a time."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Protocol

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError, UnsupportedMedia
from duretrieval.media.chunk import Ask, Chunk, Clip, Cursor
from duretrieval.media.kinds import MODULES, kind_of
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Part, Reading

__all__ = ["Chunk", "Cursor", "decode"]


class Reader(Protocol):
    """Reads one chunk of the kinds it knows."""

    def __call__(self, path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None, /) -> Chunk:
        """Give the chunk; may raise anything, which `decode` turns into a MediaError."""
        ...


def decode(path: str | Path, reading: Reading, limits: Limits, start: Ask = None) -> Chunk:
    """Decode the chunk of a file that begins at `start` (None: its beginning), sized and cut as `reading` says.

    A `Clip` gives a chunk of one part, that window of a film or a sound.

    Decoders are native code: run it through a `DecoderPool` unless the file is known to be good.

    Raises:
        MediaError: the file cannot be used; the message is a sentence about the file that does not repeat its path.
    """
    path = Path(path)
    kind = kind_of(path, limits)
    try:
        # Libraries warn about what they repaired; what matters here is whether parts come out.
        with warnings.catch_warnings(action="ignore"):
            if isinstance(start, Clip):
                return _clip(path, kind, reading, limits, start)
            reader: Reader = import_module(f"duretrieval.media.{MODULES.get(kind, 'ffmpeg')}").read
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


def _clip(path: Path, kind: Kind, reading: Reading, limits: Limits, asked: Clip) -> Chunk:
    if kind in MODULES:
        raise UnsupportedMedia("it is neither a film nor a sound, and has no windows")
    from duretrieval.media.window import clip  # it loads FFmpeg

    part = Part(asked.modality, path, start_s=asked.start_s, end_s=asked.end_s)
    return Chunk((clip(part, path, reading, limits, asked.at),))


def _reason(error: Exception, path: Path) -> str:
    """What the library said, on one line and without the path."""
    said = str(getattr(error, "strerror", None) or error) or type(error).__name__
    for name in (str(path.absolute()), str(path), path.name):
        said = said.replace(name, "the file")
    return " ".join(said.split())[:300]
