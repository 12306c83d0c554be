"""Still pictures: upright RGB squares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError
from duretrieval.media import animation, colour, exif, png
from duretrieval.media.chunk import BUDGET_BYTES, Chunk, Cursor, frame_bytes
from duretrieval.media.limits import Limits, check
from duretrieval.media.picture import fitted
from duretrieval.media.signature import Kind
from duretrieval.types import Modality, Part, Reading, Scalar

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
    Kind.PICTURE: [
        *("DDS", "QOI", "PCX", "DCX", "SGI", "SUN", "ICNS", "CUR", "BLP", "FTEX", "GBR", "MSP", "PIXAR", "DIB"),
        *("XBM", "XPM", "IM", "PPM", "FITS", "TGA"),
    ],
}
_BY_FFMPEG = (Kind.PICTURE, Kind.JPEG, Kind.JPEG2000, Kind.PHOTOSHOP, Kind.TIFF, Kind.BMP, Kind.NETPBM)
"""Kinds of which FFmpeg reads some that Pillow does not."""
_MOVING = (Kind.GIF, Kind.WEBP, Kind.PNG, Kind.AVIF)


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """One IMAGE part; a part a page for TIFF; VIDEO parts where there is more than one frame.

    Raises:
        LimitExceeded: more pixels or pages than `limits` allows.
    """
    at = start
    try:
        with path.open("rb") as file, _opened(file, kind) as image:
            for chunk in _chunks(image, kind, reading, limits, start):
                at = chunk.next
                yield chunk
    except (LimitExceeded, MemoryError):
        raise
    except Exception as error:
        yield from _another_way(path, kind, reading, limits, at, error)


def _another_way(
    path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None, error: Exception
) -> Iterator[Chunk]:
    """What Pillow stops at with `error` and viewers show: damage beside the pixels or at their end, rarer formats.

    Raises:
        LimitExceeded: more pixels or pages than `limits` allows.
        Exception: `error`, where nothing else reads it either.
    """
    from duretrieval.media import rescue, still

    try:
        with rescue.mended(path, kind) as file, _opened(file, kind) as image:
            yield from _chunks(image, kind, reading, limits, start, rescue.check_painted)
    except LimitExceeded:
        raise
    except Exception as again:
        if kind not in _BY_FFMPEG or (isinstance(again, rescue.NearlyEmpty) and kind is not Kind.PICTURE):
            raise error from again
        try:
            yield still.read(path, kind, reading, limits)
        except LimitExceeded:
            raise
        except MediaError:
            raise error from again


def _chunks(
    image: Image.Image,
    kind: Kind,
    reading: Reading,
    limits: Limits,
    start: Cursor | None,
    examine: Callable[[Image.Image, Kind], None] = lambda image, kind: None,
) -> Iterator[Chunk]:
    """examine: called with each still before it is used; may raise."""
    check("pixels", image.width * image.height, limits.max_pixels, "max_pixels")
    colour.settle_transparency(image)
    if kind in _MOVING and getattr(image, "is_animated", False):
        yield from animation.read(image, _tags(image, kind), reading, limits, start)
    elif kind is Kind.TIFF:
        yield from _pages(image, reading, limits, start, examine)
    else:
        if kind is Kind.PNG:
            image.load()  # or Pillow does so to look for tags, and what goes wrong is lost among theirs
        examine(image, kind)
        tags = exif.exif_of(image)
        facts = describe(image, tags)
        yield Chunk((Part(Modality.IMAGE, fitted(image, exif.orientation(tags), reading)),), facts)


def _tags(image: Image.Image, kind: Kind) -> Image.Exif:
    """An animation's; those of an APNG may stand behind the frames, where Pillow has not been yet."""
    file = getattr(image, "fp", None)
    if kind is not Kind.PNG or "exif" in image.info or file is None:
        return exif.exif_of(image)
    place = file.tell()
    tags = exif.exif_in(png.late_exif(file))
    file.seek(place)
    return tags


def describe(image: Image.Image, tags: Image.Exif) -> dict[str, Scalar]:
    """kind, width and height as seen upright, and what the camera wrote."""
    width, height = exif.size(image, exif.orientation(tags))
    return {"kind": "image", "width": width, "height": height, **exif.fields(tags)}


@contextmanager
def _opened(file: BinaryIO, kind: Kind) -> Iterator[Image.Image]:
    """The image with its header read and its pixels not yet."""
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


def _pages(
    image: Image.Image,
    reading: Reading,
    limits: Limits,
    start: Cursor | None,
    examine: Callable[[Image.Image, Kind], None],
) -> Iterator[Chunk]:
    """The pages of a TIFF from `start` on, as many at a time as a chunk holds; those that are missing end it."""
    total = getattr(image, "n_frames", 1)
    check("pages", total, limits.max_pages, "max_pages")
    facts: dict[str, Scalar] = {}
    parts: list[Part] = []
    for number in range(start.unit if start else 0, total):
        if len(parts) >= max(1, BUDGET_BYTES // frame_bytes(reading)):
            yield Chunk(tuple(parts), facts, Cursor(number))
            facts, parts = {}, []
        image.seek(number)
        check("pixels", image.width * image.height, limits.max_pixels, "max_pixels")
        tags = exif.exif_of(image)
        try:
            examine(image, Kind.TIFF)
        except DamagedMedia:
            if number == 0:
                raise
            break
        image.load()  # Pillow turns a TIFF upright as it loads it, and no other format
        if number == 0:
            facts = {"kind": "image", "width": image.width, "height": image.height, **exif.fields(tags)}
            facts |= {"pages": total} if total > 1 else {}
        parts.append(Part(Modality.IMAGE, fitted(image, 1, reading), page=number + 1 if total > 1 else None))
    yield Chunk(tuple(parts), facts)
