"""How much of one file is read, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """A file past one of these is a problem (`LimitExceeded`), named with the limit; the others go on."""

    max_bytes: int = 16_000_000_000
    max_pixels: int = 200_000_000
    """Of one picture or frame, by its header: known before anything is unpacked."""
    max_seconds: float = 12 * 3600.0
    max_pages: int = 10_000
    max_chars: int = 50_000_000
    decode_timeout_s: float = 120.0
    """For one chunk."""
    memory_bytes: int = 6_000_000_000
    """Address space of a decoding process beyond what it starts with, where the system can limit it."""
