"""Moving pictures to windows of evenly spaced frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np

from duretrieval.media.chunk import BUDGET_BYTES, frame_bytes
from duretrieval.types import Modality, Part, Pixels, Reading

T = TypeVar("T")

TAIL = 0.2
"""A rest shorter than this share of a window joins the window before it."""
CHUNK_S = 120.0
"""Longest stretch of a film or a sound in one chunk."""


@dataclass(slots=True)
class Sampled:
    """Frames (side, side, 3) under the number of their window, and where the pictures end."""

    frames: dict[int, list[Pixels]] = field(default_factory=dict)
    end_s: float = 0.0
    """End of the last frame seen."""
    ended: bool = False
    """Whether there was nothing after it."""
    seen: int = 0
    """How many frames there were."""


def windows_per_chunk(reading: Reading) -> int:
    """How many windows, with their frames and their sound, stay within a chunk's memory and time."""
    size = reading.frames_per_window * frame_bytes(reading) + int(reading.window_s * reading.sample_rate) * 4
    return max(1, min(BUDGET_BYTES // size, int(CHUNK_S // reading.window_s)))


def spans(start_s: float, end_s: float, window_s: float) -> list[tuple[float, float]]:
    """Cut a stretch into windows: spans(0, 11, 5) ends in (10, 11), spans(0, 10.5, 5) in (5, 10.5)."""
    edges = [float(start_s)]
    while end_s - edges[-1] > window_s:
        edges.append(start_s + len(edges) * window_s)
    if len(edges) > 1 and end_s - edges[-1] < TAIL * window_s:
        edges.pop()
    return [*pairwise(edges), (edges[-1], float(end_s))] if end_s > start_s else []


def sample(
    shown: Iterable[tuple[float, float, T]], first: int, count: int, reading: Reading, render: Callable[[T], Pixels]
) -> Sampled:
    """Choose frames for the windows `first` to `first + count`.

    shown: (start_s, end_s, frame) in order of time; only the chosen frames are rendered.  Window k of length w wants
    the frames on screen at (k + (j + 0.5) / t) w for j = 0 .. t - 1, where t is `reading.frames_per_window`: so a
    short last window has fewer.  A window that has pictures but none at those times gets its first.
    """
    w, t = reading.window_s, reading.frames_per_window
    times = [(k, (k + (j + 0.5) / t) * w) for k in range(first, first + count) for j in range(t)]
    stop_s = (first + count + TAIL) * w
    out = Sampled()
    reserve: tuple[int, Pixels] | None = None
    held: T | None = None
    for start_s, end_s, frame in shown:
        out.seen += 1
        if start_s >= stop_s:
            return out
        while times and times[0][1] < max(start_s, end_s):
            k, wanted_s = times[0]
            if wanted_s < start_s and held is None and start_s >= (k + 1) * w:
                times.pop(0)  # the pictures begin after this window
                continue
            before = wanted_s < start_s and held is not None
            out.frames.setdefault(k, []).append(render(held if before else frame))  # type: ignore[arg-type]
            times.pop(0)
        k = int(start_s // w)
        if k not in out.frames and first <= k < first + count and (reserve is None or reserve[0] != k):
            reserve = (k, render(frame))
        held = frame
        out.end_s = max(out.end_s, end_s)
    if reserve and reserve[0] not in out.frames:
        out.frames[reserve[0]] = [reserve[1]]
    out.ended = True
    return out


def video_parts(sampled: Sampled, cuts: list[tuple[float, float]], reading: Reading) -> list[Part]:
    """A VIDEO part for each window (start_s, end_s) that has frames."""
    parts = []
    for start_s, end_s in cuts:
        frames = sampled.frames.get(round(start_s / reading.window_s), [])
        if frames:
            parts.append(Part(Modality.VIDEO, np.stack(frames), start_s=start_s, end_s=end_s))
    return parts
