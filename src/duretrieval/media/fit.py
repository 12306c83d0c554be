"""Pictures become squares of the side a model wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from duretrieval.types import Array, Pixels, Reading

if TYPE_CHECKING:
    from PIL.Image import Image

WHITE = (255, 255, 255)


def on_white(picture: Image) -> Image:
    """Any mode as RGB; what is transparent shows white paper."""
    from PIL import Image as pil

    if picture.mode in ("I", "I;16", "I;16B", "I;16L", "I;16N", "F"):
        return pil.fromarray(_eight_bits(np.asarray(picture, dtype=np.float32))).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        paper = pil.new("RGBA", clear.size, (*WHITE, 255))
        return pil.alpha_composite(paper, clear).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _eight_bits(values: Array) -> Pixels:
    """Grey of any depth (h, w) as uint8: white is 1, 8, 12 or 16 bits' worth, the least that holds the brightest."""
    values = np.nan_to_num(values).clip(0)
    brightest = float(values.max(initial=0))
    white = next((depth for depth in (1.0, 255.0, 4095.0, 65535.0) if brightest <= depth), brightest)
    return (values * (255.0 / white)).round().astype(np.uint8)


def square(picture: Image, reading: Reading) -> Pixels:
    """RGB picture -> (side, side, 3) uint8: cut to the middle, laid on white, or squeezed, as `reading` says."""
    from PIL import Image as pil

    side = reading.image_side
    w, h = picture.size
    if reading.image_fit == "stretch":
        return np.asarray(picture.resize((side, side), pil.Resampling.BICUBIC, reducing_gap=2.0))
    if reading.image_fit == "crop":
        edge = min(w, h)
        box = ((w - edge) / 2, (h - edge) / 2, (w + edge) / 2, (h + edge) / 2)
        return np.asarray(picture.resize((side, side), pil.Resampling.BICUBIC, box=box, reducing_gap=2.0))
    scale = side / max(w, h)
    inner = (max(1, round(w * scale)), max(1, round(h * scale)))
    out = np.full((side, side, 3), 255, dtype=np.uint8)
    x, y = (side - inner[0]) // 2, (side - inner[1]) // 2
    out[y : y + inner[1], x : x + inner[0]] = np.asarray(
        picture.resize(inner, pil.Resampling.BICUBIC, reducing_gap=2.0)
    )
    return out
