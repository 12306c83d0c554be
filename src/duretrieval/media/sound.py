"""The sound of a film or a recording, as one line of samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from duretrieval.media import container
from duretrieval.media.frames import decoded, seek
from duretrieval.types import Array

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

BEFORE_S = 0.5
"""Decoding starts so much early: after a jump, what MP3, AAC and Opus say first is not yet right."""
GAP_S = 0.1
"""A timestamp so far from where the samples have come to is believed: something is missing there."""


def between(file: InputContainer, stream: AudioStream, begin: float, stop: float, rate: int) -> Array:
    """Samples from `begin` to `stop` seconds, or to the end: (n,) float32 mono in [-1, 1], `rate` a second.

    What is missing in the middle, packets that do not decode or that nobody sent, is silence of its length.
    """
    seek(file, stream, begin - BEFORE_S)
    origin = container.clock(file) + begin
    line = np.zeros(round((stop - begin) * rate), dtype=np.float32)
    end = 0
    for since, done, samples in _heard(file, stream, rate, origin):
        low = round((since - origin) * rate) + done
        if low >= len(line):
            break
        piece = samples[max(0, -low) : len(line) - low]
        if len(piece):
            low = max(0, low)
            end = low + len(piece)
            line[low:end] = piece
    heard: Array = np.clip(np.nan_to_num(line[:end]), -1, 1)
    return heard


def _heard(file: InputContainer, stream: AudioStream, rate: int, begin: float) -> Iterator[tuple[float, int, Array]]:
    """Runs of unbroken sound: (seconds at which the run began, samples of it before these, samples)."""
    resampler: AudioResampler | None = None
    kind, since, seconds, done = ("", "", 0), begin, 0.0, 0
    for frame in _sounding(file, stream):
        now = since + seconds if frame.time is None else frame.time
        this = (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is None or this != kind or abs(now - since - seconds) > GAP_S:
            for samples in _resampled(resampler, None):
                yield since, done, samples
                done += len(samples)
            resampler = _to(rate)
            kind, since, seconds, done = this, now, 0.0, 0
        seconds += frame.samples / frame.sample_rate
        for samples in _resampled(resampler, frame):
            yield since, done, samples
            done += len(samples)
    for samples in _resampled(resampler, None):
        yield since, done, samples
        done += len(samples)


def _sounding(file: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for frame in decoded(file, stream):
        if frame.samples and frame.sample_rate:  # type: ignore[attr-defined]
            yield frame  # type: ignore[misc]


def _to(rate: int) -> AudioResampler:
    import av

    return av.AudioResampler(format="flt", layout="mono", rate=rate)


def _resampled(resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[Array]:
    """What comes out when `frame` goes in; with None, what was still inside."""
    for out in resampler.resample(frame) if resampler else []:
        yield out.to_ndarray()[0]
