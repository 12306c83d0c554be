"""Pillow images of any mode to plain RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFile

from duretrieval.types import Array

DIRECT = frozenset({"L", "RGB", "RGBA", "LA", "CMYK", "YCbCr"})
"""Modes that are scaled as they are; the others are converted first."""
_PACKED = {"L;2": 85.0, "L;4": 17.0, "RGB;16B": 1 / 256}
"""What Pillow multiplies a PNG's numbers by, by how they are packed; not so the number of its transparent colour."""


def scalable(image: Image.Image) -> Image.Image:
    """The image in a mode that scales well: palettes and transparency resolved, more than 8 bits made 8."""
    key = image.info.get("transparency")
    if key is not None and image.mode in ("1", "L", "RGB", "I", "I;16"):
        return _without(key, image)
    if image.mode in DIRECT:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.mode == "La":
        return image.convert("LA")
    if image.has_transparency_data:
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


def settle_transparency(image: Image.Image) -> None:
    """Bring the number of the transparent colour to the depth that the pixels will have. Before they are loaded."""
    raw = image.tile[0].args if isinstance(image, ImageFile.ImageFile) and image.tile else ""
    times = _PACKED.get(raw) if isinstance(raw, str) else None
    key = image.info.get("transparency")
    if times is not None and isinstance(key, int | tuple):
        image.info["transparency"] = int(key * times) if isinstance(key, int) else tuple(int(k * times) for k in key)


def _without(key: object, image: Image.Image) -> Image.Image:
    """LA or RGBA, in which the colour `key` is transparent (PNG, tRNS); as it is where there can be no such colour."""
    plain = _eight_bits(image) if image.mode.startswith("I") else image.convert("RGB" if image.mode == "RGB" else "L")
    numbers = np.asarray(image if image.mode.startswith("I") else plain)
    seen = numbers.reshape(image.height, image.width, -1)
    wanted = np.atleast_1d(np.asarray(key))
    if wanted.shape != seen.shape[2:]:
        return plain
    alpha = np.where((seen == wanted).all(axis=2), 0, 255).astype(np.uint8)
    plain = plain.copy()
    plain.putalpha(Image.fromarray(alpha, "L"))
    return plain


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
