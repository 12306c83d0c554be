"""Films and sounds, through FFmpeg's libraries: windows of frames and of sound, each with its seconds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from duretrieval.errors import EmptyMedia, LimitExceeded
from duretrieval.media import container, frames, sound
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.image import check_size
from duretrieval.media.limits import Limits
from duretrieval.types import Array, Modality, Part, Pixels, Reading, Scalar

CHUNK_S = 60.0
"""Seconds decoded at a time."""
SILENCE = 1e-4
"""A window of a film whose loudest sample is below this (-80 dB) has no part of sound."""
SHORTEST = 0.2
"""A rest shorter than this share of a window joins the window before it."""


def read(path: Path, reading: Reading, limits: Limits, start: Cursor | None = None) -> Chunk:
    """The windows from `start` seconds on, about a minute's worth: VIDEO and AUDIO parts."""
    begin = start or 0.0
    with container.opened(path) as file:
        length = container.seconds(file)
        _check_length(max(length or 0.0, begin), limits)
        stop = begin + _windows_from(begin, length, reading) * reading.window_s
        about: dict[str, Scalar] = {"kind": "audio", **container.fields(file)}
        film = container.film_stream(file)
        shown: list[tuple[float, Pixels]] = []
        film_end = begin
        if film is not None:
            w, h = film.codec_context.width, film.codec_context.height
            check_size(w, h, limits)
            seen = frames.at(file, film, _moments(begin, stop, reading), reading)
            about |= {"kind": "video", "width": h if seen.sideways else w, "height": w if seen.sideways else h}
            shown, film_end = seen.shown, seen.end if seen.shown else begin
    line = _heard(path, begin, stop, reading)
    if film is not None and not shown and start is None:
        about["kind"] = "audio"  # a film of which no frame decodes may still be heard
    end = min(stop, max(film_end, begin + len(line) / reading.sample_rate))
    parts = tuple(_parts(shown, line, begin, end, film is not None, reading))
    if not parts and start is None:
        raise EmptyMedia("it holds no frame and no sound that can be decoded")
    more = bool(parts) and end >= stop  # whatever length the header gives: many are guesses
    if length is not None or not more:
        about["seconds"] = round(end if length is None else length, 3)
    return Chunk(parts, about, stop if more else None)


def _check_length(seconds: float, limits: Limits) -> None:
    if seconds > limits.max_seconds:
        raise LimitExceeded(
            f"it lasts {seconds / 3600:.3g} hours or more; the limit is {limits.max_seconds / 3600:g} "
            "(Limits.max_seconds)"
        )


def _windows_from(begin: float, length: float | None, reading: Reading) -> int:
    """How many windows make this chunk; one more where only a short rest would be left for the next."""
    windows = max(1, round(CHUNK_S / reading.window_s))
    last = length is not None and length - begin <= (windows + SHORTEST) * reading.window_s
    return windows + 1 if last else windows


def _moments(begin: float, stop: float, reading: Reading) -> list[float]:
    """The middles of each window's equal shares."""
    step = reading.window_s / reading.frames_per_window
    return [begin + (i + 0.5) * step for i in range(round((stop - begin) / step))]


def _heard(path: Path, begin: float, stop: float, reading: Reading) -> Array:
    """The sound, with the file opened anew: pictures and sound are each read from the same place on."""
    with container.opened(path) as file:
        stream = container.sound_stream(file)
        if stream is None:
            return np.zeros(0, np.float32)
        return sound.between(file, stream, begin, stop, reading.sample_rate)


def _parts(
    shown: list[tuple[float, Pixels]], line: Array, begin: float, end: float, is_film: bool, reading: Reading
) -> Iterator[Part]:
    """shown: (moment, frame) rising; line: samples from `begin` on."""
    for low, high in _edges(begin, end, reading.window_s):
        stack = [pixels for moment, pixels in shown if low <= moment < high]
        if not stack and shown:  # shorter than the time between two samples: what is on screen at its beginning
            before = [pixels for moment, pixels in shown if moment < high]
            stack = [before[-1] if before else shown[0][1]]
        if stack:
            yield Part(Modality.VIDEO, np.stack(stack), start_s=low, end_s=high)
        heard = line[round((low - begin) * reading.sample_rate) : round((high - begin) * reading.sample_rate)]
        if len(heard) and (not is_film or np.abs(heard).max() >= SILENCE):
            yield Part(Modality.AUDIO, heard, start_s=low, end_s=high)


def _edges(begin: float, end: float, window_s: float) -> list[tuple[float, float]]:
    """[begin, end) in windows; a rest shorter than `SHORTEST` joins the last one."""
    whole = int((end - begin) / window_s + 1e-6)
    marks = [begin + i * window_s for i in range(whole + 1)]
    rest = end - marks[-1]
    if rest >= SHORTEST * window_s or (rest > 0 and len(marks) == 1):
        marks.append(end)
    elif rest > 0:
        marks[-1] = end
    return [(round(low, 3), round(high, 3)) for low, high in pairwise(marks)]
