"""Plain texts and Markdown, in whatever encoding they were saved."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from duretrieval.errors import EmptyMedia, LimitExceeded
from duretrieval.media.charset import decoded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.passages import passages
from duretrieval.types import Reading

PASSAGES = 2000
"""Passages in one chunk."""


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """TEXT parts; `start` is a character."""
    if path.stat().st_size > 4 * limits.max_chars:
        raise too_long(path.stat().st_size, limits)
    return chunk(decoded(path.read_bytes()), reading, limits, start, {"kind": "text"})


def chunk(text: str, reading: Reading, limits: Limits, start: Cursor | None, fields: dict[str, str]) -> Chunk:
    """The passages of `text` from character `start` on, as many as fit in a chunk."""
    if len(text) > limits.max_chars:
        raise too_long(len(text), limits)
    begin = int(start or 0)
    parts = tuple(islice(passages(text[begin:], reading, offset=begin), PASSAGES))
    if not parts and not begin:
        raise EmptyMedia("it holds no text")
    end = parts[-1].end_char if parts else None
    more = end is not None and len(parts) == PASSAGES and bool(text[end:].strip())
    return Chunk(parts, fields, float(end) if more and end is not None else None)


def too_long(size: int, limits: Limits) -> LimitExceeded:
    """The error for a text past the limit."""
    return LimitExceeded(
        f"a text of {size / 1e6:.3g} million characters; the limit is {limits.max_chars / 1e6:g} (Limits.max_chars)"
    )
