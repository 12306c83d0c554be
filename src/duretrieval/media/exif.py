"""What a camera wrote into a picture. Tags: CIPA DC-008 (Exif 2.32), table 3 onwards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from duretrieval.types import Scalar

ORIENTATION, MAKE, MODEL, CHANGED, EXIF_IFD, GPS_IFD = 0x0112, 0x010F, 0x0110, 0x0132, 0x8769, 0x8825
TAKEN, OFFSET = 0x9003, 0x9011

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its orientation tag."""
EARLIEST, LATEST = 1826, 2200
"""Years in which photographs are taken; a camera whose clock was never set may say another."""


def exif_of(image: Image.Image) -> Image.Exif:
    """The tags; none where they are damaged, because the picture may still be good."""
    try:
        return image.getexif()
    except Exception:
        return Image.Exif()


def exif_in(data: bytes) -> Image.Exif:
    """The tags in a record of the camera's; none where it is damaged."""
    tags = Image.Exif()
    try:
        tags.load(data)
    except Exception:
        return Image.Exif()
    return tags


def orientation(exif: Image.Exif) -> int:
    """1 to 8, as in `UPRIGHT`; 1 where the tag is missing or makes no sense."""
    try:
        value = exif.get(ORIENTATION)
    except Exception:
        return 1
    return value if isinstance(value, int) and value in UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as its orientation says it is to be seen."""
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def size(image: Image.Image, orientation: int) -> tuple[int, int]:
    """Width and height as seen upright."""
    return (image.height, image.width) if orientation >= 5 else image.size


def fields(exif: Image.Exif) -> dict[str, Scalar]:
    """taken, camera, lat, lon (degrees; south and west negative), as far as they are there.

    A time without a zone is taken for UTC, since nothing says better.
    """
    found: dict[str, Scalar] = {}
    if not exif:
        return found
    details = _ifd(exif, EXIF_IFD)
    taken = _time(details.get(TAKEN), details.get(OFFSET)) or _time(exif.get(CHANGED), None)
    if taken:
        found["taken"] = taken
    camera = camera_name(_text(exif.get(MAKE)), _text(exif.get(MODEL)))
    if camera:
        found["camera"] = camera
    gps = _ifd(exif, GPS_IFD)
    lat, lon = _degrees(gps.get(2), gps.get(1), "S"), _degrees(gps.get(4), gps.get(3), "W")
    if lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180:
        found["lat"], found["lon"] = lat, lon
    return found


def camera_name(make: str, model: str) -> str:
    """Maker and model without saying the maker twice: ("Canon", "Canon EOS R5") -> "Canon EOS R5"."""
    return model if model.lower().startswith(make.lower()) and model else f"{make} {model}".strip()


def _ifd(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except Exception:
        return {}


def _text(value: object) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def _time(value: object, offset: object) -> datetime | None:
    """("2024:05:01 12:30:00", "+02:00") -> 10:30 UTC."""
    written = _text(value)[:19]
    for text, form in ((written + _text(offset), "%Y:%m:%d %H:%M:%S%z"), (written, "%Y:%m:%d %H:%M:%S")):
        try:
            when = datetime.strptime(text, form)
        except ValueError:
            continue
        if not EARLIEST <= when.year <= LATEST:
            return None
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return None


def _degrees(value: Any, reference: object, negative: str) -> float | None:
    """Degrees, minutes and seconds to a signed number: ((31, 14, 24), "S") -> -31.24."""
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(total):
        return None
    return -total if _text(reference).upper() == negative else total
