"""Pictures: upright, on white, square. Pictures that move are films (`animation`)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media import animation, exif
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.fit import on_white, square
from duretrieval.media.limits import Limits
from duretrieval.types import Modality, Part, Reading, Scalar

if TYPE_CHECKING:
    from PIL.Image import Image

PAGES = 100
"""Pages of a TIFF in one chunk."""
_PREVIEW = 0x00FE


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """One IMAGE part; a part a page for a TIFF of several (`start` counts from 0); VIDEO parts for an animation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures; both are dealt with here
        with _open(path) as picture:
            check_size(*picture.size, limits)
            count = getattr(picture, "n_frames", 1)
            if count > 1 and picture.format in animation.FORMATS:
                return animation.read(picture, reading)
            if count > 1 and picture.format == "TIFF":
                return _pages(picture, count, int(start or 0), reading, limits)
            return _still(picture, reading)


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise LimitExceeded for a picture with too many pixels."""
    if width * height > limits.max_pixels:
        raise LimitExceeded(
            f"{width} x {height} is {width * height / 1e6:.0f} megapixels; the limit is "
            f"{limits.max_pixels / 1e6:.0f} (Limits.max_pixels)"
        )


def _open(path: Path) -> Image:
    from PIL import Image as pil
    from pillow_heif import register_heif_opener

    pil.MAX_IMAGE_PIXELS = None  # `check_size` is the limit, by the same header
    register_heif_opener()
    try:
        return pil.open(path)
    except (OSError, SyntaxError) as error:
        raise DamagedMedia("it begins like a picture, but its header cannot be read") from error


def _still(picture: Image, reading: Reading) -> Chunk:
    size = picture.size
    picture.draft("RGB", (reading.image_side, reading.image_side))  # a JPEG unpacks to the nearest size above
    picture.load()
    orientation, about = _camera(picture)
    if orientation in exif.SIDEWAYS:
        size = (size[1], size[0])
    part = Part(Modality.IMAGE, square(on_white(exif.upright(picture, orientation)), reading))
    return Chunk((part,), {"kind": "image", "width": size[0], "height": size[1], **about})


def _camera(picture: Image) -> tuple[int, dict[str, Scalar]]:
    """Orientation (1 is upright) and fields. A camera's record that is damaged is no reason to lose the picture."""
    try:
        record = picture.getexif()
        return exif.orientation(record), exif.fields(record)
    except Exception:
        return 1, {}


def _pages(picture: Image, count: int, begin: int, reading: Reading, limits: Limits) -> Chunk:
    if count > limits.max_pages:
        raise LimitExceeded(f"it has {count} pages; the limit is {limits.max_pages} (Limits.max_pages)")
    stop = min(begin + PAGES, count)
    about: dict[str, Scalar] = {"kind": "image", "width": picture.width, "height": picture.height, "pages": count}
    about |= _camera(picture)[1]
    parts = []
    for page in range(begin, stop):
        picture.seek(page)
        if page and getattr(picture, "tag_v2", {}).get(_PREVIEW, 0) & 1:  # the same again, smaller
            continue
        check_size(*picture.size, limits)
        picture.load()
        upright = exif.upright(picture, _camera(picture)[0])
        parts.append(Part(Modality.IMAGE, square(on_white(upright), reading), page=page + 1))
    return Chunk(tuple(parts), about, float(stop) if stop < count else None)
