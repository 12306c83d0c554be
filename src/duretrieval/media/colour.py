"""Pillow images of any mode to plain RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

from duretrieval.types import Array

DIRECT = frozenset({"L", "RGB", "RGBA", "LA", "CMYK", "YCbCr"})
"""Modes that are scaled as they are; the others are converted first."""


def scalable(image: Image.Image) -> Image.Image:
    """The image in a mode that scales well: palettes resolved, more than 8 bits brought to 8."""
    if image.mode in DIRECT:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.mode in ("PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "LAB":
        return _lab(image)
    return image.convert("RGB")


def on_white(image: Image.Image) -> Image.Image:
    """RGB, with what was transparent laid on white."""
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, whole or real, as 8 bits; a range that is none of the usual ones is stretched to 0-255.

    Scanners and microscopes keep 8, 10, 12 or 14 bits in 16: white is what the fewest bits that hold the brightest say.
    """
    values: Array = np.nan_to_num(np.asarray(image).astype(np.float32), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and 255 < high <= 65535):
        values *= 255 / next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if high < 2**bits)
    elif low < 0 or high > 255 or (image.mode == "F" and high <= 1):
        values = (values - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
    return Image.fromarray(values.round().astype(np.uint8), "L")


def _lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    return converted if converted is not None else image.convert("RGB")
