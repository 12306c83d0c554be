"""Vector drawings, rendered by resvg without fonts to fetch or files to follow."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from duretrieval.errors import DamagedMedia, UnsupportedMedia
from duretrieval.media import colour
from duretrieval.media.charset import to_text
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.fit import scaled_size, square
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import GZIP, Kind, unzipped
from duretrieval.types import Modality, Part, Reading, Scalar

OVERSAMPLING = 2
"""Drawings are rendered at this many times the side, then scaled down."""
PIXELS_AN_INCH = 96.0
"""As in CSS, and so in every browser."""
UNITS = {
    **{"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54},
    **{"em": 16.0, "ex": 8.0},
}
"""A length's pixels."""

# An <image> may name a file of this machine; only embedded data and references inside the drawing stay.
_OUTSIDE = re.compile(
    r"""((?<![\w:.-])[\w:.-]*href\s*=\s*)("(?!\s*(?:data:|\#))[^"]*"|'(?!\s*(?:data:|\#))[^']*')""", re.I
)
_ENTITY = re.compile(r"""<!ENTITY\s+[^"'<>]*("[^"<&]*[<&]|'[^'<&]*[<&]|SYSTEM|PUBLIC)""", re.I)
_ROOT = re.compile(r"<(?:\w+:)?svg\b[^<>]*>", re.S)
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.S)
_TITLE = re.compile(r"<title[^<>]*>([^<]+)</title>", re.S)


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """One IMAGE part on white, of a drawing as it is or in a gzip (.svgz).

    Raises:
        DamagedMedia: it is not well formed, or has no size.
        UnsupportedMedia: it hides markup in XML entities.
    """
    check("characters", path.stat().st_size, limits.max_chars, "max_chars")
    data = path.read_bytes()
    if data.startswith(GZIP):
        data = unzipped(data, limits.max_chars + 1)
        check("characters", len(data), limits.max_chars, "max_chars")
    drawing = to_text(data)
    if _ENTITY.search(drawing):
        raise UnsupportedMedia("it defines XML entities that hold markup or name other files")
    drawing = _COMMENT.sub("", _OUTSIDE.sub(r'\1""', drawing))
    width, height = _size(drawing)
    wide, high = scaled_size(width, height, reading)
    check("pixels", wide * high * OVERSAMPLING**2, limits.max_pixels, "max_pixels")
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=drawing,
            skip_system_fonts="<text" not in drawing,
            dpi=PIXELS_AN_INCH,  # 0 unless it is said: a drawing in points or millimetres has no size then
            width=OVERSAMPLING * wide if wide >= high else None,
            height=OVERSAMPLING * high if wide < high else None,
        )
    except ValueError as error:
        raise DamagedMedia(f"the drawing cannot be rendered: {error}") from error
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        picture = image.resize((wide, high), Image.Resampling.BICUBIC)
    facts: dict[str, Scalar] = {"kind": "image", "width": round(width), "height": round(height)}
    if title := _TITLE.search(drawing):
        facts["title"] = " ".join(title[1].split())
    yield Chunk((Part(Modality.IMAGE, square(np.asarray(colour.on_white(picture)), reading)),), facts)


def _size(drawing: str) -> tuple[float, float]:
    """Width and height by the root element, in pixels; its viewBox where they are missing or relative."""
    root = _ROOT.search(drawing)
    if root is None:
        raise DamagedMedia("it has no <svg> element")
    box = re.search(r"""\bviewBox\s*=\s*["']\s*([^"']+)["']""", root[0])
    numbers = [float(n) for n in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", box[1])] if box else []
    size = [_length(root[0], name) for name in ("width", "height")]
    if len(numbers) == 4 and numbers[2] > 0 and numbers[3] > 0:
        ratio = numbers[2] / numbers[3]
        if size[0] is None and size[1] is None:
            size = [numbers[2], numbers[3]]
        width = size[0] if size[0] is not None else (size[1] or 0) * ratio
        height = size[1] if size[1] is not None else width / ratio
        return max(width, 1), max(height, 1)
    return size[0] or 100.0, size[1] or 100.0


def _length(root: str, name: str) -> float | None:
    found = re.search(rf"""\s{name}\s*=\s*["']\s*(\d+\.?\d*|\.\d+)([a-z%]*)""", root)
    if found is None or found[2] not in UNITS or float(found[1]) == 0:
        return None
    return float(found[1]) * UNITS[found[2]]
