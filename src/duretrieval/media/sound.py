"""Sound: mono at the model's rate, in windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from duretrieval.errors import DamagedMedia, EmptyMedia
from duretrieval.media.chunk import BUDGET_BYTES, Chunk, Cursor
from duretrieval.media.container import frames, origin_s
from duretrieval.media.limits import Limits, check
from duretrieval.media.sampling import CHUNK_S, TAIL, spans
from duretrieval.types import Array, Modality, Part, Reading, Scalar

JITTER_S = 0.05
"""Time stamps this far from where the sound before ended are rounding, not a gap."""
MEAN = {"rematrix_maxval": "1"}
"""Weights of the channels that sum to 1. libswresample's own, for floats, are louder: two equal channels would clip."""
SILENCE = 1e-4
"""Peak below which a film's window is silent: -80 dB of full scale."""


@dataclass(frozen=True, slots=True)
class Samples:
    """A stretch of sound."""

    values: Array
    """(samples,) float32 mono in [-1, 1]; sample 0 is at the second that was asked for."""
    ended: bool
    """Whether the sound ends within the stretch."""
    found: bool
    """Whether anything was decoded at all."""


def read(
    container: InputContainer, facts: dict[str, Scalar], reading: Reading, limits: Limits, start: Cursor | None
) -> Chunk:
    """AUDIO parts of a sound file; silence is sound too.

    Raises:
        EmptyMedia: it has length 0.
        DamagedMedia: it should have a length, but nothing decodes.
        LimitExceeded: it turned out longer than `limits` allows.
    """
    w = reading.window_s
    first, count = (start.unit if start else 0), _windows_per_chunk(reading)
    begin_s = first * w
    stretch = samples(container, begin_s, begin_s + (count + TAIL) * w, reading.sample_rate)
    end_s = begin_s + len(stretch.values) / reading.sample_rate if stretch.ended else begin_s + count * w
    check("seconds", end_s, limits.max_seconds, "max_seconds")
    if start is None:
        if not stretch.found:
            raise DamagedMedia("its sound cannot be decoded") if facts.get("seconds") else EmptyMedia("it has length 0")
        facts = {"kind": "audio", **facts, **({"seconds": round(end_s, 3)} if stretch.ended else {})}
    parts = audio_parts(stretch.values, begin_s, spans(begin_s, end_s, w), reading.sample_rate)
    return Chunk(tuple(parts), facts, None if stretch.ended else Cursor(first + count))


def samples(container: InputContainer, from_s: float, to_s: float, rate: int) -> Samples:
    """Decode, mix to mono and resample (libswresample) the stretch from `from_s` to `to_s`.

    Each run of samples is put where its time stamp says, so that a lost packet leaves silence and shifts nothing.
    """
    out = np.zeros(round((to_s - from_s) * rate), dtype=np.float32)
    at = end = 0
    found = False
    for time_s, values in _resampled(container, from_s, rate):
        found = True
        told = round((time_s - from_s) * rate) if time_s is not None else at
        at = told if abs(told - at) > JITTER_S * rate or end == 0 else at
        if at >= len(out):
            return Samples(np.clip(out, -1, 1), ended=False, found=True)
        cut = values[max(-at, 0) : len(out) - at]
        out[max(at, 0) : max(at, 0) + len(cut)] = cut
        at += len(values)
        end = max(end, min(at, len(out)))
    return Samples(np.clip(out[:end], -1, 1), ended=True, found=found)


def audio_parts(
    values: Array, begin_s: float, cuts: list[tuple[float, float]], rate: int, floor: float = -1
) -> list[Part]:
    """An AUDIO part for each window (start_s, end_s) whose peak is above `floor`; values[0] is at `begin_s`."""
    parts = []
    for start_s, end_s in cuts:
        window = values[round((start_s - begin_s) * rate) : round((end_s - begin_s) * rate)]
        if len(window) and float(np.abs(window).max()) > floor:
            parts.append(Part(Modality.AUDIO, window.copy(), start_s=start_s, end_s=end_s))
    return parts


def _windows_per_chunk(reading: Reading) -> int:
    fit = BUDGET_BYTES // (4 * reading.sample_rate)
    return max(1, int(min(CHUNK_S, fit) // reading.window_s))


def _resampled(container: InputContainer, from_s: float, rate: int) -> Iterator[tuple[float | None, Array]]:
    """Runs of samples with the second they begin at. A new resampler begins where the stream changes its format."""
    stream = container.streams.best("audio") or container.streams.audio[0]
    origin = origin_s(container)
    resampler: AudioResampler | None = None
    layout: tuple[Any, ...] = ()
    for frame in frames(container, stream, from_s):
        if (frame.format.name, frame.layout.name, frame.sample_rate) != layout:
            yield from _arrays(resampler, None, origin)
            resampler = AudioResampler(format="flt", layout="mono", rate=rate, options=MEAN)
            layout = (frame.format.name, frame.layout.name, frame.sample_rate)
        yield from _arrays(resampler, frame, origin)
    yield from _arrays(resampler, None, origin)


def _arrays(resampler: AudioResampler | None, frame: Any, origin: float) -> Iterator[tuple[float | None, Array]]:
    if resampler is None:
        return
    try:
        resampled = resampler.resample(frame)
    except (av.FFmpegError, ValueError):
        return
    for piece in resampled:
        time_s = piece.time - origin if piece.time is not None else None
        yield time_s, np.nan_to_num(piece.to_ndarray()[0].astype(np.float32, copy=False))
