"""Plain texts and Markdown, in whatever encoding they were saved."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from duretrieval.errors import EmptyMedia, LimitExceeded, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.passages import passages
from duretrieval.types import Reading

PASSAGES = 2000
"""Passages in one chunk."""
_TRIED = ("utf-8", "gb18030", "big5")


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
        f"a text of {size / 1e6:.0f} million characters; the limit is {limits.max_chars / 1e6:g} (Limits.max_chars)"
    )


def decoded(data: bytes) -> str:
    """Bytes as text: by byte order mark, then UTF-8, then what `charset-normalizer` finds likeliest.

    Raises:
        UnsupportedMedia: no encoding makes text of it.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:
            return data.decode("utf-8", "ignore")  # cut in the middle of a character
    return _guessed(data)


def _guessed(data: bytes) -> str:
    """Chinese first: short GB18030 texts are what a general guesser most often gets wrong."""
    for encoding in _TRIED[1:]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _chinese(text) > 0.3:
            return text
    from charset_normalizer import from_bytes

    best = from_bytes(data[:100_000]).best()
    if best is None:
        raise UnsupportedMedia("it is neither text in any known encoding nor a known kind of file")
    return data.decode(best.encoding, "replace")


def _chinese(text: str) -> float:
    """Share of common Chinese characters and punctuation among what is not ASCII."""
    other = [char for char in text[:20_000] if char > "\x7f"]
    usual = sum("\u4e00" <= char <= "\u9fff" or char in "，。、；：？！“”‘’（）《》" for char in other)
    return usual / len(other) if other else 0.0
