"""What a report shows of a query or an item: a name, words, small pictures, the shape of a sound."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from duretrieval.collection.reading import Road
from duretrieval.errors import MediaError, MissingExtra
from duretrieval.media.fit import scaled_size
from duretrieval.media.limits import Limits
from duretrieval.types import Array, Modality, Pixels, Reading

SIDE = 112
LOOK = Reading(image_side=SIDE, image_fit="pad", sample_rate=8000, window_s=10.0, frames_per_window=3)
COLUMNS = 64
CHARS = 180
JPEG_QUALITY = 70


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """Everything but the name may be missing."""

    name: str
    text: str = ""
    pictures: tuple[Pixels, ...] = ()
    """(h, w, 3) uint8 each; several are the frames of a film."""
    wave: Array | None = None
    """(COLUMNS,) loudness over time, in [0, 1]."""


def of_text(text: str, name: str = "") -> Exhibit:
    """Words, cut where they get long."""
    words = " ".join(text.split())
    return Exhibit(name, words if len(words) <= CHARS else words[: CHARS - 1] + "…")


def looks() -> Road:
    """The road to what is shown of files: one process, which starts with the first and ends when the road is let go."""
    return Road(LOOK, Limits(), workers=1)


def of_file(path: str | Path, road: Road | None = None) -> Exhibit:
    """A look at the beginning of a file, in a process of its own; one that cannot be read says why.

    road: as `looks` makes it, where several files are looked at.
    """
    path = Path(path)
    road = road or looks()
    try:
        chunk = road.pool.submit(path).result()
    except (MediaError, MissingExtra) as reason:
        return Exhibit(path.name, text=f"({reason})")
    shown = Exhibit(path.name)
    size = scaled_size(float(chunk.fields.get("width", SIDE)), float(chunk.fields.get("height", SIDE)), LOOK)  # type: ignore[arg-type]
    for part in chunk.parts:
        if part.modality is Modality.TEXT and not shown.text:
            shown = replace(shown, text=of_text(str(part.content)).text)
        elif part.modality is Modality.AUDIO and shown.wave is None:
            shown = replace(shown, wave=loudness(np.asarray(part.content)))
        elif part.modality in (Modality.IMAGE, Modality.VIDEO) and not shown.pictures:
            frames = np.asarray(part.content)
            frames = frames[None] if part.modality is Modality.IMAGE else frames
            shown = replace(shown, pictures=tuple(_unpadded(frame, size) for frame in frames))
    return shown


def loudness(samples: Array) -> Array:
    """The largest of |samples| (n,) in each of COLUMNS stretches, against the loudest of all.

    >>> loudness(np.repeat(np.array([0.1, 0.5], np.float32), 64))[[0, -1]]
    array([0.2, 1. ], dtype=float32)
    """
    if not len(samples):
        return np.zeros(COLUMNS, np.float32)
    peaks = np.array([np.abs(s).max(initial=0) for s in np.array_split(samples, COLUMNS)], dtype=np.float32)
    loudest = float(peaks.max())
    return peaks / np.float32(loudest) if loudest else peaks


def jpeg_uri(pixels: Pixels) -> str:
    """A picture as an address that holds it whole."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _unpadded(square: Pixels, size: tuple[int, int]) -> Pixels:
    """Without the white that made it a square."""
    width, height = size
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    return square[top : top + height, left : left + width]
