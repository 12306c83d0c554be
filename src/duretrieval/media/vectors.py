"""Vectors in NumPy's files: .npy, or .npz with one array and, where it is known, `origin`: what made it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from duretrieval.errors import DamagedMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media.chunk import BUDGET_BYTES, Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.signature import Kind
from duretrieval.types import Array, Modality, Part, Reading
from duretrieval.vectors import rows_of

UNSAID = Modality.WHOLE
"""What the vectors of a file are of until they are placed: it does not say (`collection.vectors`)."""
KIND = "vector"
"""The field `kind` of such a chunk."""
ORIGIN = "origin"


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Iterator[Chunk]:
    """One chunk with one part, (t, d) float32.

    Raises:
        UnsupportedMedia, DamagedMedia, LimitExceeded: it holds no vector, none that is whole, or a very long sequence.
    """
    found, origin = _arrays(path)
    rows = rows_of(found)
    if rows.nbytes > BUDGET_BYTES:
        most = BUDGET_BYTES // rows[0].nbytes
        raise LimitExceeded(
            f"it holds {len(rows):,} vectors of {rows.shape[1]:,} numbers, and one thing has {most:,} of them at most; "
            "give a file for each thing, or every second frame"
        )
    yield Chunk((Part(UNSAID, rows),), {"kind": KIND, **({ORIGIN: origin} if origin else {})})


def _arrays(path: Path) -> tuple[Array, str]:
    """The array in a file, and what made it."""
    try:
        with path.open("rb") as file:
            held = np.load(file, allow_pickle=False)
            if isinstance(held, np.ndarray):
                return held, ""
            names = [name for name in held.files if name != ORIGIN]
            if len(names) != 1:
                there = ", ".join(names) or "none"
                raise UnsupportedMedia(f"it holds {len(names)} arrays ({there}); keep one to a file, beside `{ORIGIN}`")
            return held[names[0]], str(held[ORIGIN]) if ORIGIN in held.files else ""
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, UnsupportedMedia):
            raise
        if "allow_pickle" in str(error):
            raise UnsupportedMedia("it holds Python objects, which only code can read; save numbers") from error
        raise DamagedMedia(f"it is no whole file of NumPy: {error}") from error
