"""Drawings: rendered at twice the side a model wants, with nothing fetched from outside the file."""

from __future__ import annotations

import io
from pathlib import Path

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.fit import on_white, square
from duretrieval.media.limits import Limits
from duretrieval.types import Modality, Part, Reading, Scalar

BYTES = 20_000_000


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """One IMAGE part."""
    import resvg_py
    from PIL import Image

    if path.stat().st_size > BYTES:
        raise LimitExceeded(f"a drawing of {path.stat().st_size / 1e6:.0f} MB; the limit is {BYTES / 1e6:.0f}")
    text = path.read_bytes().decode("utf-8-sig", "replace")
    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=text, width=2 * reading.image_side))
    except ValueError as error:
        raise DamagedMedia(f"the drawing cannot be rendered: {error}") from error
    with Image.open(io.BytesIO(png)) as picture:
        pixels = square(on_white(picture), reading)
        fields: dict[str, Scalar] = {"kind": "image", "width": picture.width, "height": picture.height}
    return Chunk((Part(Modality.IMAGE, pixels),), fields)
