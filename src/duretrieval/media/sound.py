"""Sound: mono at the model's rate, in windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame, format_dtypes
from av.audio.plane import AudioPlane
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from duretrieval.errors import DamagedMedia, EmptyMedia
from duretrieval.media.chunk import BUDGET_BYTES, Chunk, Cursor
from duretrieval.media.container import Recording, frames
from duretrieval.media.limits import Limits, check
from duretrieval.media.sampling import CHUNK_S, TAIL, spans
from duretrieval.types import Array, Modality, Part, Reading, Scalar

JITTER_S = 0.05
"""Time stamps this far from where the sound before ended are rounding, not a gap."""
CANCELLED = 16
"""Where the mean of the channels has less than this fraction of the power of one of them, that one is heard instead."""
BLOCK_S = 0.5
"""Stretch for which that is decided."""
RUN_S = 0.25
"""Of sound that is mixed and resampled at once: what that costs hardly depends on how much it is."""
LAYOUTS = {1: "mono", 2: "stereo"}
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
    recording: Recording, facts: dict[str, Scalar], reading: Reading, limits: Limits, start: Cursor | None
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
    stretch = samples(recording, begin_s, begin_s + (count + TAIL) * w, reading.sample_rate)
    end_s = begin_s + len(stretch.values) / reading.sample_rate if stretch.ended else begin_s + count * w
    check("seconds", end_s, limits.max_seconds, "max_seconds")
    if start is None:
        if not stretch.found:
            raise DamagedMedia("its sound cannot be decoded") if facts.get("seconds") else EmptyMedia("it has length 0")
        facts = {"kind": "audio", **facts, **({"seconds": round(end_s, 3)} if stretch.ended else {})}
    parts = audio_parts(stretch.values, begin_s, spans(begin_s, end_s, w), reading.sample_rate)
    return Chunk(tuple(parts), facts, None if stretch.ended else Cursor(first + count))


def samples(recording: Recording, from_s: float, to_s: float, rate: int) -> Samples:
    """Decode, mix to mono and resample (libswresample) the stretch from `from_s` to `to_s`.

    Each run of samples is put where its time stamp says, so that a lost packet leaves silence and shifts nothing.
    """
    out = np.zeros((2, round((to_s - from_s) * rate)), dtype=np.float32)
    length = out.shape[1]
    at = end = 0
    found = False
    for time_s, values in _resampled(recording, from_s, rate):
        found = True
        told = round((time_s - from_s) * rate) if time_s is not None else at
        at = told if abs(told - at) > JITTER_S * rate or end == 0 else at
        if at >= length:
            return Samples(mono(out, rate), ended=False, found=True)
        cut = values[:, max(-at, 0) : length - at]
        out[:, max(at, 0) : max(at, 0) + cut.shape[1]] = cut
        at += values.shape[1]
        end = max(end, min(at, length))
    return Samples(mono(out[:, :end], rate), ended=True, found=found)


def mono(mixed: Array, rate: int) -> Array:
    """(2, n), the mean of the channels and a leading one, to (n,): the mean, but where the channels cancel out."""
    mean: Array
    lead: Array
    mean, lead = np.clip(mixed, -1, 1)
    for at in range(0, len(mean), round(BLOCK_S * rate)):
        block = slice(at, at + round(BLOCK_S * rate))
        if CANCELLED * np.dot(mean[block], mean[block]) < np.dot(lead[block], lead[block]):
            mean[block] = lead[block]
    return mean


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


def _resampled(recording: Recording, from_s: float, rate: int) -> Iterator[tuple[float | None, Array]]:
    """Runs of (1 or 2, n) samples, as `Mixer` gives them, with the second they begin at."""
    for stretch in recording.stretches(from_s):
        if stretch.container.streams.audio:
            for time_s, values in _stretch(stretch.container, stretch.from_s, rate):
                yield stretch.second(time_s), values


def _stretch(container: InputContainer, from_s: float, rate: int) -> Iterator[tuple[float | None, Array]]:
    """The same of one container, by its own time. A new resampler begins where the stream changes its format."""
    stream = container.streams.best("audio") or container.streams.audio[0]
    resampler: AudioResampler | None = None
    mixer = Mixer()
    form: tuple[Any, ...] = ()
    for run in _runs(frames(container, stream, from_s)):
        if _form(run[0]) != form:
            yield from _arrays(resampler, None)
            form = _form(run[0])
            mixer = Mixer()
            resampler = AudioResampler(format="fltp", layout=LAYOUTS[min(form[1], 2)], rate=rate)
        yield from _arrays(resampler, mixer(run))
    yield from _arrays(resampler, None)


def _runs(frames: Iterator[AudioFrame]) -> Iterator[list[AudioFrame]]:
    """Frames that follow one another without gap or change, `RUN_S` of them together: most hold a few milliseconds."""
    run: list[AudioFrame] = []
    length_s = 0.0
    for frame in frames:
        told = frame.time - run[0].time if run and frame.time is not None and run[0].time is not None else length_s
        if run and (length_s >= RUN_S or abs(told - length_s) > JITTER_S or _form(frame) != _form(run[0])):
            yield run
            run, length_s = [], 0.0
        run.append(frame)
        length_s += frame.samples / frame.sample_rate
    if run:
        yield run


def _form(frame: AudioFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate


class Mixer:
    """Frames of any number of channels, in any arrangement, to one or two: their mean, and the channel that leads.

    Unlike libswresample, which knows no mix for most arrangements and lets opposite channels cancel out.
    """

    def __init__(self) -> None:
        self._lead = 0
        self._power: Array = np.zeros(1, dtype=np.float32)

    def __call__(self, run: Sequence[AudioFrame]) -> AudioFrame:
        """Frames of one format as one in float: mono, or mean and leading channel."""
        frame, values = run[0], _floats(run)
        if len(values) > 1:
            mixed = np.empty((2, values.shape[1]), dtype=np.float32)
            np.add.reduce(values, axis=0, out=mixed[0])
            mixed[0] /= len(values)
            mixed[1] = values[self._leading(values, frame.sample_rate)]
            values = mixed
        out = AudioFrame.from_ndarray(np.ascontiguousarray(values), "fltp", LAYOUTS[len(values)])
        out.sample_rate, out.pts, out.time_base = frame.sample_rate, frame.pts, frame.time_base
        return out

    def _leading(self, values: Array, rate: int) -> int:
        """The channel with the most power of late; another takes over when it has twice as much."""
        fading = np.float32(0.5 ** (values.shape[1] / (BLOCK_S * rate)))
        self._power = self._power * fading + np.einsum("cn,cn->c", values, values)
        best = int(self._power.argmax())
        if self._power[best] > 2 * self._power[self._lead]:
            self._lead = best
        return self._lead


def _floats(run: Sequence[AudioFrame]) -> Array:
    """(channels, n) float32 in [-1, 1].

    Unlike `to_ndarray`, which counts planes by a zero that from eight on is not there, and reads on.
    """
    channels, dtype = run[0].layout.nb_channels, np.dtype(format_dtypes[run[0].format.name])
    if run[0].format.is_planar:
        planes = [[_plane(frame, n, dtype, frame.samples) for frame in run] for n in range(channels)]
        values = np.stack([np.concatenate(plane) for plane in planes])
    else:
        packed = [_plane(frame, 0, dtype, frame.samples * channels) for frame in run]
        values = np.concatenate(packed).reshape(-1, channels).T
    if dtype.kind == "f":
        real: Array = values.astype(np.float32, copy=False)
        return real if np.isfinite(np.add.reduce(real, axis=None)) else np.nan_to_num(real, posinf=0, neginf=0)
    if dtype == np.uint8:
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    return values.astype(np.float32) / np.float32(-float(np.iinfo(dtype).min))


def _plane(frame: AudioFrame, number: int, dtype: np.dtype[Any], count: int) -> Array:
    return np.frombuffer(memoryview(AudioPlane(frame, number)), dtype, count)


def _arrays(resampler: AudioResampler | None, frame: Any) -> Iterator[tuple[float | None, Array]]:
    if resampler is None:
        return
    try:
        resampled = resampler.resample(frame)
    except (av.FFmpegError, ValueError):
        return
    for piece in resampled:
        yield piece.time, np.asarray(piece.to_ndarray(), dtype=np.float32)
