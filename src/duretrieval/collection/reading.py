"""Files of training rows to decoded parts, several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from duretrieval.errors import EmptyMedia, MediaError, MissingExtra
from duretrieval.media.chunk import Chunk
from duretrieval.media.limits import Limits
from duretrieval.media.pool import DecoderPool
from duretrieval.types import Modality, Part, Reading

AHEAD = 32
"""Files decoded before the first of them is taken."""
PARTS = 64
"""Parts of one file at most: five minutes of sound."""


def read_parts(
    parts: Iterable[Part], reading: Reading, limits: Limits, workers: int | None = None
) -> Iterator[list[Part] | MediaError]:
    """For each part, in order, what its content holds of its modality: its windows, its passages, or itself.

    A part with `start_s` and `end_s` gives the windows of its file that overlap them.  In the place of what cannot be
    read stands the reason.
    """
    with DecoderPool(reading, limits, workers) as pool:
        waiting: deque[tuple[Part, Future[Chunk] | None]] = deque()
        for part in parts:
            waiting.append((part, pool.submit(part.content) if isinstance(part.content, Path) else None))
            if len(waiting) > AHEAD:
                yield _take(*waiting.popleft(), pool)
        while waiting:
            yield _take(*waiting.popleft(), pool)


def _take(part: Part, future: Future[Chunk] | None, pool: DecoderPool) -> list[Part] | MediaError:
    if future is None:
        return [part]
    assert isinstance(part.content, Path)
    found: list[Part] = []
    other: set[Modality] = set()
    try:
        while True:
            chunk = future.result()
            found += [piece for piece in chunk.parts if piece.modality is part.modality and _overlap(piece, part)]
            other |= {piece.modality for piece in chunk.parts}
            if chunk.next is None or len(found) >= PARTS:
                break
            future = pool.submit(part.content, chunk.next)
    except (MediaError, MissingExtra) as error:
        return MediaError(f"{part.content}: {error}")
    if not found:
        there = " and ".join(sorted(other)) or "nothing"
        return EmptyMedia(f"{part.content} holds {there}, no {part.modality.value}")
    return [replace(piece, file=None) for piece in found[:PARTS]]


def _overlap(piece: Part, wanted: Part) -> bool:
    if piece.start_s is None or piece.end_s is None:
        return True
    after = wanted.start_s is None or piece.end_s > wanted.start_s
    return after and (wanted.end_s is None or piece.start_s < wanted.end_s)
