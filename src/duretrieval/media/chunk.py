"""A piece of a file, decoded: what every reader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from duretrieval.types import Part, Scalar

Cursor = float
"""Where a chunk begins: seconds in films and sounds, a page or a character in texts."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some parts of a file, a bounded amount; `next` is where the next chunk begins, None when this is the last."""

    parts: tuple[Part, ...]
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """What the file says of itself: kind, width, height, seconds, pages, title, taken, camera, lat, lon."""
    next: Cursor | None = None
