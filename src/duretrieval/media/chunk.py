"""What decoding gives: a bounded piece of a file, and where the next one begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from duretrieval.types import Modality, Part, Reading, Scalar

BUDGET_BYTES = 24 * 2**20
"""About how many bytes of arrays one chunk holds: memory does not grow with the file."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the chunks of a file before this one took, and gave; kept by the parent, so a decoder has no say in it."""

    seconds: float = 0.0
    parts: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a chunk begins. Made by one call of `decode` and meant for the next, with the same file and reading."""

    unit: int
    """Number of the window, page or frame, from 0."""
    char: int = 0
    """Characters of text before that page."""
    skip: int = 0
    """Characters of that page that were already given."""
    spent: Spent = field(default=Spent(), compare=False)
    """By a `DecoderPool`, on all chunks before."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One window of a film or a sound, asked for in the place of a chunk."""

    modality: Modality
    """The frames of a film, or its sound."""
    at: float
    """0 is the first window, 1 the last that fits."""
    start_s: float | None = None
    end_s: float | None = None
    """Where the stretch lies that it is cut from; None: the whole file."""


Ask = Cursor | Clip | None
"""What is asked of a file: the chunk there, a clip, or its first chunk."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some parts of a file, in order."""

    parts: tuple[Part, ...]
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """Metadata found in the file: kind, width, height, seconds, pages, title, artist, taken, camera, lat, lon. On the
    first chunk only."""
    next: Cursor | None = None
    """Where the next chunk begins; None when this was the last. A chunk in the middle may have no parts."""


def frame_bytes(reading: Reading) -> int:
    """Bytes of one fitted picture."""
    return reading.image_side**2 * 3
