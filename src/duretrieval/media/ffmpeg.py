"""What FFmpeg reads: a film, a sound, or a still of a rarer kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import EmptyMedia, UnsupportedMedia
from duretrieval.media import film, joined, sound, still
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.container import Recording, describe, opened, picture_stream
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading

_BY_NAME = frozenset({"tty", "bin", "adf", "idf", "xbin", "image2", "rawvideo"})
"""What FFmpeg takes a file for by its name alone: letters on a screen, of any text; pixels, of any bytes."""
_STILLS = frozenset({"alias_pix", "brender_pix", "fits", "msp", "txd"})
"""Its names for stills, besides those that end in "_pipe"."""


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """Stretches of a film or of a sound, each by a jump into the file.

    Raises:
        UnsupportedMedia: FFmpeg does not know it, or has no decoder for what is in it.
        DamagedMedia: it is known but cannot be opened.
        EmptyMedia: there is neither sound nor picture in it.
        LimitExceeded: longer or larger than `limits` allows.
    """
    chunk = _stretch(path, kind, reading, limits, start)
    yield chunk
    while chunk.next is not None:
        yield (chunk := _stretch(path, kind, reading, limits, chunk.next))


def _stretch(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    with opened(path, kind) as container:
        name = container.format.name
        if name in _BY_NAME:
            raise UnsupportedMedia("nothing here reads this kind of file")
        if name.endswith("_pipe") or name in _STILLS:
            return still.picture(container, reading, limits)
        recording = Recording(path, kind, container, joined.pieces(path, kind, container))
        if recording.seconds:
            check("seconds", recording.seconds, limits.max_seconds, "max_seconds")
        facts = describe(container) if start is None else {}
        if start is None and recording.seconds:
            facts["seconds"] = round(recording.seconds, 3)
        picture = picture_stream(container)
        if picture is not None:
            return film.read(recording, picture, facts, reading, limits, start)
        if container.streams.audio:
            return sound.read(recording, facts, reading, limits, start)
    raise EmptyMedia("it holds neither sound nor pictures")
