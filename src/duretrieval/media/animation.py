"""Animated pictures (GIF, WebP, APNG, AVIF): short films without sound."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from duretrieval.errors import DamagedMedia
from duretrieval.media import exif
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits, check
from duretrieval.media.picture import fitted
from duretrieval.media.sampling import Sampler, spans, video_parts, windows_per_chunk
from duretrieval.types import Reading, Scalar

DEFAULT_MS = 100
"""Browsers show a frame that says 0 to 10 ms for this long."""


def read(
    image: Image.Image, tags: Image.Exif, reading: Reading, limits: Limits, start: Cursor | None
) -> Iterator[Chunk]:
    """VIDEO parts, upright as `tags` say, with the times at which their frames are on screen.

    Raises:
        DamagedMedia: not one frame decodes.
        LimitExceeded: it runs longer than `limits` allows.
    """
    first, count = (start.unit if start else 0), windows_per_chunk(reading)
    if image.format == "WEBP":
        # Where frames are smaller than the canvas the rest is transparent, whatever the file's header says of alpha.
        image.rawmode = image._mode = "RGBA"  # type: ignore[attr-defined]
    turn = exif.orientation(tags)
    sampler = Sampler(_shown(image, limits), first, reading, lambda frame: fitted(frame, turn, reading))
    facts: dict[str, Scalar] = {}
    if start is None:
        width, height = exif.size(image, turn)
        facts = {"kind": "video", "width": width, "height": height, **exif.fields(tags)}
    while True:
        sampled = sampler.take(count)
        begin_s = first * reading.window_s
        end_s = sampled.end_s if sampled.ended else begin_s + count * reading.window_s
        parts = video_parts(sampled, spans(begin_s, end_s, reading.window_s), reading)
        if facts and not parts:
            raise DamagedMedia("none of its frames can be decoded")
        if facts and sampled.ended:
            facts["seconds"] = round(sampled.end_s, 3)
        first += count
        yield Chunk(tuple(parts), facts, None if sampled.ended else Cursor(first))
        if sampled.ended:
            return
        facts = {}


def _shown(image: Image.Image, limits: Limits) -> Iterator[tuple[float, float, Image.Image]]:
    """Frames with their times; they stop where the file is damaged. Frames build on one another: no skipping ahead."""
    at_ms = 0.0
    number = 0
    while True:
        try:
            image.seek(number)
            image.load()
        except (EOFError, OSError, ValueError, SyntaxError):
            return
        duration_ms = float(image.info.get("duration") or 0)
        end_ms = at_ms + (duration_ms if duration_ms > 10 else DEFAULT_MS)
        check("seconds", end_ms / 1000, limits.max_seconds, "max_seconds")
        yield at_ms / 1000, end_ms / 1000, image
        at_ms, number = end_ms, number + 1
