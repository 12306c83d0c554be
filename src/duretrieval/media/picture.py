"""A picture of Pillow's as the square that a model reads."""

from __future__ import annotations

import numpy as np
from PIL import Image

from duretrieval.media import colour, exif
from duretrieval.media.fit import scaled_size, square
from duretrieval.types import Pixels, Reading


def fitted(image: Image.Image, orientation: int, reading: Reading) -> Pixels:
    """Scale, turn upright, lay on white and square: (side, side, 3) uint8.

    A JPEG is decoded at the smallest of its built-in scales (1/2, 1/4, 1/8) that is not below the size wanted.
    Turning comes after scaling, when there is little left to turn.
    """
    size = scaled_size(*image.size, reading)
    image.draft("RGB", size)
    image = colour.scalable(image)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return square(np.asarray(colour.on_white(exif.upright(image, orientation))), reading)
