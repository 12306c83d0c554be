"""The frames of a picture or a film, checked, and as many of them as a graph takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ShapeError
from duretrieval.types import Modality, Part, Pixels


def frames_of(part: Part, side: int) -> Pixels:
    """A part's pixels as (t, side, side, 3) uint8; a picture is a film of one frame.

    Raises:
        ShapeError: they are not pixels of that side, or a film has no frame.
    """
    square = (side, side, 3)
    frames = part.content
    if isinstance(frames, np.ndarray) and frames.dtype == np.uint8:
        if part.modality is Modality.IMAGE and frames.shape == square:
            return frames[None]
        if part.modality is Modality.VIDEO and frames.shape[1:] == square and len(frames):
            return frames
    wanted = f"(t, {side}, {side}, 3)" if part.modality is Modality.VIDEO else str(square)
    got = f"{frames.shape} {frames.dtype}" if isinstance(frames, np.ndarray) else type(frames).__name__
    raise ShapeError(
        f"expected the content of {'a video' if part.modality is Modality.VIDEO else 'an image'} part to be RGB "
        f"pixels of shape {wanted} uint8; got {got}. Fit it to the model's reading first."
    )


def films_of(parts: Sequence[Part], side: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Parts as films of one length, black after the end of each: (b, t, side, side, 3), and how long they are: (b,).

    Raises:
        ShapeError: as `frames_of`.
    """
    films = [frames_of(part, side) for part in parts]
    counts = np.array([len(film) for film in films], np.int64)
    pixels = np.zeros((len(films), counts.max(initial=1), side, side, 3), np.uint8)
    for row, film in zip(pixels, films, strict=True):
        row[: len(film)] = film
    return pixels, counts


def evenly(frames: Pixels, count: int) -> Pixels:
    """`count` frames spread over a film, some of them more than once where it is shorter: (t, ...) -> (count, ...)."""
    chosen: Pixels = frames[middles(len(frames), count)]
    return chosen


def middles(t: int, count: int) -> npt.NDArray[np.int64]:
    """The frame in the middle of each of `count` equal segments of a film of t frames: floor((2i + 1) t / (2 count)).

    Wang et al. 2016, "Temporal segment networks", section 3.1, where training draws one at random from each.
    middles(6, 3) == [1, 3, 5]; middles(2, 4) == [0, 0, 1, 1]; middles(t, t) is every frame.
    """
    at: npt.NDArray[np.int64] = (2 * np.arange(count) + 1) * t // (2 * count)
    return at
