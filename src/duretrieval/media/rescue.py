"""Pictures that every viewer shows and Pillow stops at: the end is missing, or what lies beside the pixels is wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

from duretrieval.errors import DamagedMedia
from duretrieval.media import png
from duretrieval.media.signature import Kind

LEAST = 0.25
"""A picture of which a smaller share is there is not shown but listed."""
MOST_PADDING = 2**28
"""Bytes."""
_END = {Kind.JPEG: b"\xff\xd9", Kind.JPEG2000: b"\xff\xd9"}
_UNPAINTED = {Kind.JPEG: 128}
"""What a decoder leaves where nothing was decoded, if not 0."""


class NearlyEmpty(DamagedMedia):
    """Too little of a picture is there to show it."""


@contextmanager
def mended(path: Path, kind: Kind) -> Iterator[BinaryIO]:
    """The file's bytes with an end, and Pillow content with less, for as long as this lasts.

    Raises:
        NearlyEmpty: most of the bytes that its header promises are missing.
    """
    strict = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        if kind is Kind.PNG:
            with path.open("rb") as file:
                yield io.BytesIO(png.pixels_only(file))
        else:
            data = path.read_bytes().rstrip(b"\xff") if kind in _END else path.read_bytes()
            yield io.BytesIO(data + (_END.get(kind) or bytes(_missing(data, kind))))
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = strict


def painted(image: Image.Image, kind: Kind) -> bool:
    """Whether enough of the image is there: rows that its decoder left untouched are not."""
    pixels = np.asarray(image).reshape(image.height, -1)
    return float((pixels != _UNPAINTED.get(kind, 0)).any(axis=1).mean()) >= LEAST


def check_painted(image: Image.Image, kind: Kind) -> None:
    """Load the image.

    Raises:
        NearlyEmpty: less than a quarter of it is there.
    """
    image.load()
    if not painted(image, kind):
        raise NearlyEmpty(f"less than {LEAST:.0%} of the picture is there")


def _missing(data: bytes, kind: Kind) -> int:
    """How many bytes to add: as the file says, or any number that suffices."""
    if kind is Kind.WEBP:
        whole = 8 + int.from_bytes(data[4:8], "little")
    elif kind in (Kind.AVIF, Kind.HEIF):
        whole = _boxes_end(data)
    else:
        return min(round(len(data) / LEAST), MOST_PADDING)
    if len(data) < LEAST * whole:
        raise NearlyEmpty(f"less than {LEAST:.0%} of the picture is there")
    return min(max(whole - len(data), 0), MOST_PADDING)


def _boxes_end(data: bytes) -> int:
    """Where the last box of an ISO base media file ends, by what the boxes say (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            break
        at += size
    return at
