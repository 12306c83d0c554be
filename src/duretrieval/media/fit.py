"""Pictures of any shape to squares of one side, as a model reads them."""

from __future__ import annotations

import numpy as np

from duretrieval.types import Pixels, Reading

WHITE = 255


def scaled_size(width: float, height: float, reading: Reading) -> tuple[int, int]:
    """Size (width, height) to scale to before `square`: inside the square for pad, around it for crop.

    scaled_size(640, 480, Reading(image_side=224, image_fit="pad")) == (224, 168)
    """
    side = reading.image_side
    if reading.image_fit == "stretch":
        return side, side
    longest = reading.image_fit == "pad"
    scale = side / (max(width, height) if longest else min(width, height))
    cap = side if longest else 64 * side  # a line one pixel high is cropped, not scaled to gigabytes
    return min(max(round(width * scale), 1), cap), min(max(round(height * scale), 1), cap)


def on_white(pixels: Pixels) -> Pixels:
    """(h, w, 4) RGBA to (h, w, 3) RGB, with what was transparent laid on white."""
    share = pixels[..., 3:].astype(np.float32) / 255
    return (WHITE + (pixels[..., :3] - np.float32(WHITE)) * share).round().astype(np.uint8)


def square(pixels: Pixels, reading: Reading) -> Pixels:
    """Centre (h, w, 3) on white, or cut its middle, to (side, side, 3) contiguous uint8."""
    side = reading.image_side
    if pixels.shape == (side, side, 3):
        return np.ascontiguousarray(pixels)
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    cut = pixels[max(top, 0) : max(top, 0) + side, max(left, 0) : max(left, 0) + side]
    out = np.full((side, side, 3), WHITE, dtype=np.uint8)
    y, x = (side - cut.shape[0]) // 2, (side - cut.shape[1]) // 2
    out[y : y + cut.shape[0], x : x + cut.shape[1]] = cut
    return out
