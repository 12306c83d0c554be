"""A picture in 212 bits, of which a rescaled, recompressed or slightly brighter copy changes few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duretrieval.types import Pixels, Reading

Code = npt.NDArray[np.uint8]

CELLS, PIXELS = 9, 8
READING = Reading(image_side=PIXELS * CELLS, image_fit="stretch")
"""How pictures are to be read for this."""
MARGIN = 4.0
"""Grey levels (of 255) below which two cells count as equally bright, so that noise on plain areas decides nothing."""
LEVELS = np.arange(32, 256, 32)
BITS = 2 * (CELLS - 1) ** 2 + 12 * len(LEVELS)


def code(pixels: Pixels) -> Code:
    """(72, 72, 3) uint8 RGB -> (27,) uint8: `BITS` bits, packed.

    128 bits of differences: whether a cell of a 9 x 9 grid is darker than the one to its right, and than the one
    below (the difference hash of Krawetz 2013, "Kind of like that", both ways).  84 bits of colour: the mean red,
    green and blue of each quarter, as how many of 7 levels it reaches, so that one level apart is one bit apart.
    Unlike his, a difference counts from `MARGIN` on, and colour counts: flat drawings differ in little else.
    """
    cells = pixels.reshape(CELLS, PIXELS, CELLS, PIXELS, 3).mean(axis=(1, 3))  # (9, 9, 3)
    grey = cells @ np.array([0.299, 0.587, 0.114])
    right = np.diff(grey[:-1], axis=1) > MARGIN
    below = np.diff(grey[:, :-1], axis=0) > MARGIN
    half = pixels.shape[0] // 2
    quarters = pixels.reshape(2, half, 2, half, 3).mean(axis=(1, 3))  # (2, 2, 3)
    colours = quarters[..., None] >= LEVELS
    return np.packbits(np.concatenate([right.ravel(), below.ravel(), colours.ravel()]))


def distance(a: Code, b: Code) -> int:
    """Bits in which two codes differ."""
    return int(np.bitwise_count(a ^ b).sum())
