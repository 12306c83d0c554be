"""Pictures: upright, on white, square. Pictures that move are films."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import exif
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.fit import on_white, square
from duretrieval.media.limits import Limits
from duretrieval.types import Modality, Part, Pixels, Reading

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES = 2000
"""Frames of an animation, or pages of a TIFF, that are read."""


_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """One IMAGE part; a part a page for a TIFF of several; VIDEO parts for an animation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures; both are dealt with here
        with _open(path) as picture:
            check_size(*picture.size, limits)
            if getattr(picture, "n_frames", 1) > 1:
                return _pages(picture, reading, limits) if picture.format == "TIFF" else _film(picture, reading)
            w, h = picture.size
            if picture.getexif().get(_ORIENTATION, 1) in _TURNED:
                w, h = h, w
            fields = {"kind": "image", "width": w, "height": h, **exif.fields(picture.getexif())}
            picture.draft("RGB", (2 * reading.image_side, 2 * reading.image_side))  # a JPEG unpacks small
            return Chunk((Part(Modality.IMAGE, square(_upright(picture), reading)),), fields)


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise LimitExceeded for a picture with too many pixels."""
    if width * height > limits.max_pixels:
        raise LimitExceeded(
            f"{width} x {height} is {width * height / 1e6:.0f} megapixels; the limit is "
            f"{limits.max_pixels / 1e6:.0f} (Limits.max_pixels)"
        )


def _open(path: Path) -> Image:
    from PIL import Image as pil
    from PIL import UnidentifiedImageError
    from pillow_heif import register_heif_opener

    pil.MAX_IMAGE_PIXELS = None  # `check_size` is the limit, by the same header
    register_heif_opener()
    try:
        return pil.open(path)
    except UnidentifiedImageError as error:
        raise DamagedMedia("it begins like a picture, but its header cannot be read") from error


def _upright(picture: Image) -> Image:
    from PIL import ImageOps

    return on_white(ImageOps.exif_transpose(picture) or picture)


def _pages(picture: Image, reading: Reading, limits: Limits) -> Chunk:
    from PIL import ImageSequence

    parts = []
    for page, frame in enumerate(ImageSequence.Iterator(picture), start=1):
        if page > FRAMES:
            break
        check_size(*frame.size, limits)
        parts.append(Part(Modality.IMAGE, square(on_white(frame), reading), page=page))
    about = exif.fields(picture.getexif())
    return Chunk(tuple(parts), {"kind": "image", "width": picture.width, "height": picture.height, **about})


def _film(picture: Image, reading: Reading) -> Chunk:
    """Windows of an animation, times from the frames' own durations (0.1 s where a frame has none)."""
    frames = list(_frames(picture, reading))
    end = frames[-1][1]
    parts = []
    window = 0.0
    while window < end:
        shown = [pixels for begin, stop, pixels in frames if stop > window and begin < window + reading.window_s]
        picks = np.linspace(0, len(shown) - 1, min(len(shown), reading.frames_per_window)).round().astype(int)
        stack = np.stack([shown[i] for i in dict.fromkeys(picks.tolist())])
        parts.append(Part(Modality.VIDEO, stack, start_s=window, end_s=min(window + reading.window_s, end)))
        window += reading.window_s
    fields = {"kind": "video", "width": picture.width, "height": picture.height, "seconds": end}
    return Chunk(tuple(parts), fields)


def _frames(picture: Image, reading: Reading) -> Iterator[tuple[float, float, Pixels]]:
    from PIL import ImageSequence

    at = 0.0
    for number, frame in enumerate(ImageSequence.Iterator(picture)):
        if number == FRAMES:
            return
        duration = float(frame.info.get("duration") or 100) / 1000
        yield at, at + duration, square(on_white(frame.copy()), reading)
        at += duration
