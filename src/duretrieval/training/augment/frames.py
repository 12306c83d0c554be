"""One change for a picture, or for every frame of a film alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from duretrieval.types import Part, Pixels

Change = Callable[[Image.Image], Image.Image]


def pixels_of(part: Part) -> Pixels | None:
    """The part as frames (t, h, w, 3); None where it does not hold pixels, but features, or nothing."""
    content: Any = part.content
    if not isinstance(content, np.ndarray) or content.dtype != np.uint8 or content.ndim not in (3, 4):
        return None
    return content[None] if content.ndim == 3 else content


def with_frames(part: Part, frames: Pixels) -> Part:
    """The part with other frames (t, h, w, 3); a picture takes the first."""
    still = isinstance(part.content, np.ndarray) and part.content.ndim == 3
    return replace(part, content=frames[0] if still else frames)


def each_frame(part: Part, change: Change) -> Part:
    """The part with the same change made to each of its frames; as it is where it does not hold pixels."""
    frames = pixels_of(part)
    if frames is None:
        return part
    changed = [np.asarray(change(Image.fromarray(frame)), dtype=np.uint8) for frame in frames]
    return with_frames(part, np.stack(changed) if changed else frames)
