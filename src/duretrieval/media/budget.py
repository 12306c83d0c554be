"""What one file may take and give over all its chunks, so that none runs without end.

A file's size explains some of it: a film of 10 GB may take hours and a note of 10 kB may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from duretrieval.errors import LimitExceeded
from duretrieval.media.chunk import Chunk, Spent
from duretrieval.media.limits import Limits

SECONDS_A_BYTE = 10 / 2**20
"""Added to `Limits.file_timeout_s`: 10 s a MiB let a film in 4K, or hours of a still screen, take their time."""
FREE_BYTES = 64 * 2**20
"""What any file may give, before `Limits.max_growth` asks how large it is."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a chunk, and what to say when that has passed."""

    seconds: float
    complaint: str


def patience(path: Path, spent: Spent, limits: Limits) -> Patience:
    """For the next chunk of a file, after what was spent on those before.

    Raises:
        LimitExceeded: the file has had its seconds, parts or bytes; the message names the setting to raise.
    """
    size = _size(path)
    grown = FREE_BYTES + limits.max_growth * size
    for amount, most, said, setting in (
        (spent.parts, limits.max_parts, "parts", "max_parts"),
        (spent.bytes, limits.max_decoded_bytes, "bytes of decoded content", "max_decoded_bytes"),
        (spent.bytes, grown, f"bytes of decoded content out of {size:,} bytes of file", "max_growth"),
    ):
        if amount > most:
            raise LimitExceeded(f"it gave more than {most:,.0f} {said}; raise `{setting}` to read the rest of it")
    whole_s = limits.file_timeout_s + SECONDS_A_BYTE * size
    complaint = f"decoding all of it took more than {whole_s:,.0f} s; raise `file_timeout_s` to read the rest of it"
    if (left_s := whole_s - spent.seconds) <= 0:
        raise LimitExceeded(complaint)
    if left_s < limits.decode_timeout_s:
        return Patience(left_s, complaint)
    complaint = f"decoding took more than {limits.decode_timeout_s:g} s; raise `decode_timeout_s` to wait longer"
    return Patience(limits.decode_timeout_s, complaint)


def after(spent: Spent, seconds: float, chunk: Chunk) -> Spent:
    """What is spent when this chunk has come, too."""
    contents = [part.content for part in chunk.parts]
    given = sum(c.nbytes if isinstance(c, np.ndarray) else len(c) if isinstance(c, str) else 0 for c in contents)
    return Spent(spent.seconds + seconds, spent.parts + len(contents), spent.bytes + given)


def _size(path: Path) -> int:
    """0 where that cannot be told: opening it will say why."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
