"""Pictures that move: windows of frames, timed by the frames' own durations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from duretrieval.media.chunk import Chunk
from duretrieval.media.fit import on_white, square
from duretrieval.types import Modality, Part, Pixels, Reading

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES = 2000
"""Frames that are read; what comes after them is left out."""
FORMATS = ("GIF", "PNG", "WEBP", "AVIF")
"""Where several pictures in a file are a film. In others (MPO, HEIF) they are views of the same, or previews."""
Shown = tuple[float, float, Pixels]


def read(picture: Image, reading: Reading) -> Chunk:
    """VIDEO parts of an opened picture with several frames."""
    parts = tuple(_part(low, high, shown, reading) for low, high, shown in windows(_frames(picture, reading), reading))
    size = {"width": picture.width, "height": picture.height}
    return Chunk(parts, {"kind": "video", **size, "seconds": parts[-1].end_s or 0.0})


def windows(frames: Iterator[Shown], reading: Reading) -> Iterator[tuple[float, float, list[Shown]]]:
    """Cut frames (begin, stop, pixels), which follow one another, into windows (low, high, frames shown in it).

    A single frame that stays for several windows makes one, as long as it stays.
    """
    low, here = 0.0, list[Shown]()
    for frame in frames:
        while here and frame[0] >= low + reading.window_s:
            high = _end(low, here, reading.window_s)
            yield low, high, here
            low, here = high, [each for each in here if each[1] > high]
        here.append(frame)
    while here:
        high = min(_end(low, here, reading.window_s), here[-1][1])
        yield low, high, here
        low, here = high, [each for each in here if each[1] > high]


def _end(low: float, here: list[Shown], window_s: float) -> float:
    whole = int((here[0][1] - low) / window_s) if len(here) == 1 else 1
    return low + max(1, whole) * window_s


def _part(low: float, high: float, shown: list[Shown], reading: Reading) -> Part:
    picks = np.linspace(0, len(shown) - 1, min(len(shown), reading.frames_per_window)).round().astype(int)
    return Part(Modality.VIDEO, np.stack([shown[i][2] for i in picks]), start_s=low, end_s=high)


def _frames(picture: Image, reading: Reading) -> Iterator[Shown]:
    """Each frame with its seconds; one that says none is shown for 0.1 s, as browsers do."""
    from PIL import ImageSequence

    at = 0.0
    for number, frame in enumerate(ImageSequence.Iterator(picture)):
        if number == FRAMES:
            return
        frame.load()  # some formats tell the duration only now
        stop = round(at + float(frame.info.get("duration") or 100) / 1000, 3)
        yield at, stop, square(on_white(frame), reading)
        at = stop
