"""Vectors that data brings, computed elsewhere: what they must be, and what a model says of those it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from duretrieval.errors import UnsupportedMedia
from duretrieval.types import Array


@dataclass(frozen=True, slots=True)
class Given:
    """The vectors that an encoder takes in the place of media."""

    dim: int
    name: str = ""
    """What a person calls them: "YouTube-8M, rgb"."""
    origin: str = ""
    """What made them: a fingerprint, or words. A file that names another origin is refused; "" is not known."""

    def __str__(self) -> str:
        return f"{self.dim:,} numbers" + (f" ({self.name})" if self.name else "")


def rows_of(content: Any) -> Array:
    """A vector, or several in a sequence (the frames of a film), as rows: (d,) or (t, d) numbers -> (t, d) float32.

    content: an array, or lists of numbers.

    Raises:
        UnsupportedMedia: it is something else, holds nothing, or a number in it is not finite.
    """
    try:
        found = np.asarray(content)
    except ValueError:  # lists of several lengths
        found = np.empty(0, dtype=object)
    if found.dtype == object and isinstance(content, list | tuple):
        raise UnsupportedMedia("it holds lists of different lengths, or something else than numbers")
    if found.dtype.kind not in "iuf":
        raise UnsupportedMedia(f"it holds {found.dtype}, not numbers")
    if found.ndim not in (1, 2) or not found.size:
        raise UnsupportedMedia(f"it has the shape {found.shape}; a vector has (d,), a sequence of vectors (t, d)")
    with np.errstate(over="ignore"):
        rows: Array = np.atleast_2d(found).astype(np.float32)
    if not (finite := np.isfinite(rows)).all():
        t, at = np.argwhere(~finite)[0].tolist()
        where = f"number {at + 1}" + (f" of vector {t + 1}" if len(rows) > 1 else "")
        raise UnsupportedMedia(f"{where} is not finite (NaN, or too large); leave the vector out, or compute it again")
    return rows
