"""How much a file may ask for before it is listed as a problem instead of read."""

from __future__ import annotations

from dataclasses import dataclass

from duretrieval.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """Generous for what people keep, small enough that one hostile file cannot take the machine."""

    max_bytes: int = 16 * 2**30
    """Size of a file on disk."""
    max_pixels: int = 250_000_000
    """Width times height of a picture, page or frame, read from the header before decoding."""
    max_seconds: float = 6 * 3600.0
    """Length of a film, a sound or an animation."""
    max_pages: int = 5_000
    """Pages of a PDF or a TIFF, slides, sheets."""
    max_chars: int = 20_000_000
    """Characters in the text of one file, markup included."""
    max_parts: int = 100_000
    """Windows, pages and passages of one file, in a `DecoderPool`."""
    max_decoded_bytes: int = 8 * 2**30
    """Pixels, samples and characters that one file gives, in bytes, in a `DecoderPool`."""
    max_growth: float = 1_000.0
    """Decoded bytes for each byte of the file, past the first 64 MiB, in a `DecoderPool`: digital silence in FLAC has
    about 1,000, and a sound of six hours in 40 kB has not been recorded by anybody."""
    decode_timeout_s: float = 120.0
    """Time for one chunk, and as much time of the processor, in a `DecoderPool`."""
    file_timeout_s: float = 300.0
    """Time for all chunks of one file, and 10 s more for each MiB of it, in a `DecoderPool`."""
    memory_bytes: int = 4 * 2**30
    """Memory a decoding process may take beyond what it starts with (Linux), in a `DecoderPool`."""


def check(what: str, amount: float, limit: float, setting: str) -> None:
    """Refuse an amount above its limit.

    Raises:
        LimitExceeded: "it has 6,001 pages, above the limit of 5,000; raise `max_pages` to read it".
    """
    if amount > limit:
        raise LimitExceeded(
            f"it has {amount:,.0f} {what}, above the limit of {limit:,.0f}; raise `{setting}` to read it"
        )
