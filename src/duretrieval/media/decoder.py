"""Bytes to parts: one file, one chunk at a time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Protocol

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError, UnsupportedMedia
from duretrieval.media import folders
from duretrieval.media.chunk import Ask, Chunk, Clip, Cursor
from duretrieval.media.kinds import MODULES, kind_of
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Part, Reading

__all__ = ["Chunk", "Cursor", "decode"]


class Reader(Protocol):
    """Reads the kinds it knows."""

    def __call__(
        self, path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None, /
    ) -> Iterator[Chunk]:
        """Give the chunks from `start` on; may raise anything, which `chunks` turns into a MediaError."""
        ...


def decode(path: str | Path, reading: Reading, limits: Limits, start: Ask = None) -> Chunk:
    """Decode the chunk of a file that begins at `start` (None: its beginning), sized and cut as `reading` says.

    A `Clip` gives a chunk of one part, that window of a film or a sound.

    Decoders are native code: run it through a `DecoderPool` unless the file is known to be good.

    Raises:
        MediaError: the file cannot be used; the message is a sentence about the file that does not repeat its path.
    """
    with closing(chunks(Path(path), reading, limits, start)) as found:
        return next(found)


class Decoder:
    """Decodes as `decode` does, and keeps the file open of which it gave a chunk that was not the last.

    Of animations and documents each chunk would else cost all that stands before it.
    """

    def __init__(self) -> None:
        self._open: Generator[Chunk] | None = None
        self._at: tuple[Path, str, Cursor] | None = None
        """The file that is open, how it was when its last chunk was read, and where its next one begins."""

    def __call__(self, path: Path, reading: Reading, limits: Limits, start: Ask) -> Chunk:
        """As `decode`; reading and limits are the same at each call."""
        stamp = _stamp(path)
        if self._open is None or start is None or self._at != (path, stamp, start):
            self.close()
            self._open = chunks(path, reading, limits, start)
        try:
            chunk = next(self._open)
        except BaseException:
            self.close()
            raise
        if chunk.next is None:
            self.close()
        else:
            self._at = path, stamp, chunk.next
        return chunk

    def close(self) -> None:
        """Let go of the file that is open; doing so twice is no error."""
        if self._open is not None:
            self._open.close()
        self._open = self._at = None


def chunks(path: Path, reading: Reading, limits: Limits, start: Ask) -> Generator[Chunk]:
    """All chunks from `start` on, at least one; the file is open in between.

    Raises:
        MediaError: as `decode`.
    """
    kind = kind_of(path, limits)
    if isinstance(start, Clip):
        found = _clips(path, kind, reading, limits, start)
    else:
        read: Reader = import_module(f"duretrieval.media.{MODULES.get(kind, 'ffmpeg')}").read
        found = read(path, kind, reading, limits, start)
    while True:
        try:
            # Libraries warn about what they repaired; what matters here is whether parts come out.
            with warnings.catch_warnings(action="ignore"):
                chunk = next(found, None)
        except MediaError:
            raise
        except MemoryError as error:
            raise LimitExceeded(
                f"decoding it takes more memory than is free, or than the limit of {limits.memory_bytes:,} bytes; "
                "raise `memory_bytes` to read it"
            ) from error
        except Exception as error:
            raise DamagedMedia(f"the {kind.value} decoder failed: {_reason(error, path)}") from error
        if chunk is None:
            return
        yield chunk


def _stamp(path: Path) -> str:
    """Empty where there is none: opening it will say why."""
    try:
        return folders.stamp(path)
    except (OSError, ValueError):  # a name that no file can have
        return ""


def _clips(path: Path, kind: Kind, reading: Reading, limits: Limits, asked: Clip) -> Iterator[Chunk]:
    """The one that is asked for."""
    if kind in MODULES:
        raise UnsupportedMedia("it is neither a film nor a sound, and has no windows")
    from duretrieval.media.window import clip  # it loads FFmpeg

    part = Part(asked.modality, path, start_s=asked.start_s, end_s=asked.end_s)
    yield Chunk((clip(part, path, reading, limits, asked.at),))


def _reason(error: Exception, path: Path) -> str:
    """What the library said, on one line and without the path."""
    said = str(getattr(error, "strerror", None) or error) or type(error).__name__
    for name in (str(path.absolute()), str(path), path.name):
        said = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", "the file", said)
    return " ".join(said.split())[:300]
