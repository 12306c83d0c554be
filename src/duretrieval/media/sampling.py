"""Moving pictures to windows of evenly spaced frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Generic, TypeVar, cast

import numpy as np

from duretrieval.media.chunk import BUDGET_BYTES, frame_bytes
from duretrieval.types import Modality, Part, Pixels, Reading

T = TypeVar("T")

TAIL = 0.2
"""A rest shorter than this share of a window joins the window before it."""
CHUNK_S = 120.0
"""Longest stretch of a film or a sound in one chunk."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Frames (side, side, 3) under the number of their window, and where the pictures end."""

    frames: Mapping[int, list[Pixels]]
    end_s: float
    """End of the last frame seen."""
    ended: bool
    """Whether nothing is shown after these windows."""
    seen: int
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


class Sampler(Generic[T]):
    """Chooses frames for windows, from `first` on, in one pass over all.

    shown: (start_s, end_s, frame) in order of time; a frame may change when the next is asked for, if that follows
    without a gap.  Only the chosen ones are rendered.  Window k of length w wants the frames on screen at
    (k + (j + 0.5) / t) w for j = 0 .. t - 1, where t is `reading.frames_per_window`: so a short last window has fewer.
    A window that has pictures but none at those times gets its first.
    """

    def __init__(
        self, shown: Iterable[tuple[float, float, T]], first: int, reading: Reading, render: Callable[[T], Pixels]
    ) -> None:
        w, t = reading.window_s, reading.frames_per_window
        self._shown, self._render, self._window_s = iter(shown), render, w
        self._first = self._next = first
        self._times = ((k, (k + (j + 0.5) / t) * w) for k in count(first) for j in range(t))
        self._wanted = next(self._times)
        self._frames: dict[int, list[Pixels]] = {}
        self._reserve: tuple[int, Pixels] | None = None
        self._now: tuple[float, float, T] | None = None
        self._held: T | None = None
        self._seen, self._end_s = 0, 0.0

    def take(self, windows: int) -> Sampled:
        """The frames of the next `windows` windows."""
        self._next += windows
        stop_s = (self._next + TAIL) * self._window_s
        while self._now is not None or self._advance():
            start_s, end_s, frame = cast("tuple[float, float, T]", self._now)
            if start_s >= stop_s:
                break
            self._choose(start_s, min(max(start_s, end_s), stop_s), frame)
            self._end_s = max(self._end_s, end_s)
            if end_s > stop_s:
                break
            self._held, self._now = frame, None
        ended = self._now is None
        if ended and self._reserve and self._reserve[0] not in self._frames:
            self._frames[self._reserve[0]] = [self._reserve[1]]
        done = {k: self._frames.pop(k) for k in list(self._frames) if ended or k < self._next}
        return Sampled(done, self._end_s, ended, self._seen)

    def _advance(self) -> bool:
        self._now = next(self._shown, None)
        self._seen += self._now is not None
        return self._now is not None

    def _choose(self, start_s: float, until_s: float, frame: T) -> None:
        """Render it for the wanted times before `until_s`."""
        w = self._window_s
        while (wanted := self._wanted)[1] < until_s:
            k, wanted_s = wanted
            self._wanted = next(self._times)
            if wanted_s < start_s and self._held is None and start_s >= (k + 1) * w:
                continue  # the pictures begin after this window
            held = self._held if wanted_s < start_s else None
            self._frames.setdefault(k, []).append(self._render(frame if held is None else held))
        k = int(start_s // w)
        if k not in self._frames and k >= self._first and (self._reserve is None or self._reserve[0] != k):
            self._reserve = (k, self._render(frame))


def video_parts(sampled: Sampled, cuts: list[tuple[float, float]], reading: Reading) -> list[Part]:
    """A VIDEO part for each window (start_s, end_s) that has frames."""
    parts = []
    for start_s, end_s in cuts:
        frames = sampled.frames.get(round(start_s / reading.window_s), [])
        if frames:
            parts.append(Part(Modality.VIDEO, np.stack(frames), start_s=start_s, end_s=end_s))
    return parts
