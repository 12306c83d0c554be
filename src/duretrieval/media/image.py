"""Still pictures: upright RGB squares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import animation, colour, exif
from duretrieval.media.chunk import BUDGET_BYTES, Chunk, Cursor, frame_bytes
from duretrieval.media.fit import scaled_size, square
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Modality, Part, Pixels, Reading, Scalar

# Only the plug-in of the kind that was recognised may try: some of Pillow's others run programs (EPS).
_FORMATS = {
    Kind.JPEG: ["JPEG"],
    Kind.PNG: ["PNG"],
    Kind.GIF: ["GIF"],
    Kind.WEBP: ["WEBP"],
    Kind.TIFF: ["TIFF"],
    Kind.BMP: ["BMP"],
    Kind.AVIF: ["AVIF"],
    Kind.JPEG2000: ["JPEG2000"],
    Kind.NETPBM: ["PPM"],
    Kind.ICON: ["ICO"],
    Kind.PHOTOSHOP: ["PSD"],
}
_MOVING = (Kind.GIF, Kind.WEBP, Kind.PNG, Kind.AVIF)


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """One IMAGE part; a part a page for TIFF; VIDEO parts where there is more than one frame.

    Raises:
        LimitExceeded: more pixels or pages than `limits` allows.
    """
    with _opened(path, kind) as image:
        check("pixels", image.width * image.height, limits.max_pixels, "max_pixels")
        if kind in _MOVING and getattr(image, "is_animated", False):
            return animation.read(image, reading, limits, start)
        if kind is Kind.TIFF:
            return _pages(image, reading, limits, start)
        tags = exif.exif_of(image)
        facts = describe(image, tags)
        pixels = fitted(image, tags.get(exif.ORIENTATION, 1), reading)
    return Chunk((Part(Modality.IMAGE, pixels),), facts)


def describe(image: Image.Image, tags: Image.Exif) -> dict[str, Scalar]:
    """kind, width and height as seen upright, and what the camera wrote."""
    width, height = image.size
    if tags.get(exif.ORIENTATION, 1) in (5, 6, 7, 8):
        width, height = height, width
    return {"kind": "image", "width": width, "height": height, **exif.fields(tags)}


def fitted(image: Image.Image, orientation: int, reading: Reading) -> Pixels:
    """Scale, turn upright, lay on white and square: (side, side, 3) uint8.

    A JPEG is decoded at the smallest of its built-in scales (1/2, 1/4, 1/8) that is not below the size wanted.
    Turning comes after scaling, when there is little left to turn.
    """
    size = scaled_size(*image.size, reading)
    image.draft("RGB", size)
    image = colour.scalable(image)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    if orientation in exif.UPRIGHT:
        image = image.transpose(exif.UPRIGHT[orientation])
    return square(np.asarray(colour.on_white(image)), reading)


@contextmanager
def _opened(path: Path, kind: Kind) -> Iterator[Image.Image]:
    """The image with its header read and its pixels not yet."""
    with path.open("rb") as file:
        try:
            if kind is Kind.HEIF:
                from pillow_heif import HeifImageFile

                image: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
            else:
                image = Image.open(file, formats=_FORMATS[kind])
        except Image.DecompressionBombError as error:
            raise LimitExceeded("it has more pixels than Pillow opens; raise PIL.Image.MAX_IMAGE_PIXELS") from error
        except (UnidentifiedImageError, SyntaxError) as error:
            raise DamagedMedia(f"it begins as {kind.value} does but its header is broken") from error
        with image:
            yield image


def _pages(image: Image.Image, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """The pages of a TIFF from `start` on, as many as a chunk holds."""
    total = getattr(image, "n_frames", 1)
    check("pages", total, limits.max_pages, "max_pages")
    first = start.unit if start else 0
    last = min(total, first + max(1, BUDGET_BYTES // frame_bytes(reading)))
    facts: dict[str, Scalar] = {}
    parts = []
    for number in range(first, last):
        image.seek(number)
        check("pixels", image.width * image.height, limits.max_pixels, "max_pixels")
        tags = exif.exif_of(image)
        image.load()  # Pillow turns a TIFF upright as it loads it, and no other format
        if number == 0:
            facts = {"kind": "image", "width": image.width, "height": image.height, **exif.fields(tags)}
            facts |= {"pages": total} if total > 1 else {}
        parts.append(Part(Modality.IMAGE, fitted(image, 1, reading), page=number + 1 if total > 1 else None))
    return Chunk(tuple(parts), facts, Cursor(last) if last < total else None)
