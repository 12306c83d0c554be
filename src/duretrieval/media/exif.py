"""What a camera wrote into a picture: when, with what, where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from duretrieval.types import Scalar

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

EARLIEST, LATEST = 1826, 2200
"""Years in which photographs are taken; a camera whose clock is not set says others."""
SIDEWAYS = (5, 6, 7, 8)
"""Orientations in which width and height change places."""
_ORIENTATION = 0x0112
_MAKE, _MODEL, _DATE = 0x010F, 0x0110, 0x0132
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011


def fields(exif: Exif) -> dict[str, Scalar]:
    """taken, camera, lat, lon: those that are there and make sense.

    A time without a zone is taken as UTC, since nothing says better. lat and lon are degrees, south and west negative.
    """
    found: dict[str, Scalar] = {}
    camera = " ".join(dict.fromkeys(" ".join(_text(exif.get(tag)) for tag in (_MAKE, _MODEL)).split()))
    if camera:
        found["camera"] = camera
    details = exif.get_ifd(_EXIF)
    if taken := _moment(_text(details.get(_TAKEN) or exif.get(_DATE)), _text(details.get(_OFFSET))):
        found["taken"] = taken
    return {**found, **_place(exif.get_ifd(_GPS))}


def orientation(exif: Exif) -> int:
    """1 to 8 as EXIF counts them: 1 is upright, 3 upside down, 6 to be turned a quarter clockwise."""
    found = exif.get(_ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def upright(picture: Image, orientation: int) -> Image:
    """The picture as its camera was held."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return picture.transpose(turns[orientation]) if orientation in turns else picture


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).replace("\0", "").strip() if value is not None else ""


def _moment(written: str, offset: str) -> datetime | None:
    """`2024:05:01 12:30:00` and `+02:00` as a time with a zone."""
    try:
        moment = datetime.strptime(written[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    try:
        sign = -1 if offset.startswith("-") else 1
        hours, minutes = offset.lstrip("+-").split(":")
        zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    except ValueError:
        zone = UTC
    return moment.replace(tzinfo=zone).astimezone(UTC) if EARLIEST <= moment.year <= LATEST else None


def _place(gps: Mapping[int, Any]) -> dict[str, Scalar]:
    try:
        lat, lon = _degrees(gps[2]), _degrees(gps[4])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return {}
    lat = -lat if _text(gps.get(1)).upper().startswith("S") else lat
    lon = -lon if _text(gps.get(3)).upper().startswith("W") else lon
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):  # NaN fails this as well
        return {}
    return {"lat": lat, "lon": lon}


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
