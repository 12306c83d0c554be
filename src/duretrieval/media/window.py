"""One window out of a film or a sound, without decoding the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np

from duretrieval.errors import DamagedMedia, MediaError, UnsupportedMedia
from duretrieval.media import film, sound
from duretrieval.media.container import MICROSECOND, Recording, opened, picture_stream
from duretrieval.media.joined import pieces
from duretrieval.media.kinds import kind_of
from duretrieval.media.limits import Limits, check
from duretrieval.media.sampling import Sampler
from duretrieval.types import Array, Modality, Part, Pixels, Reading

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a film or a sound, in seconds; no end: as long as a window may be."""

    start_s: float
    end_s: float | None


def clip(part: Part, path: Path, reading: Reading, limits: Limits, at: float = MIDDLE) -> Part:
    """The window of a VIDEO or AUDIO part's file that lies at `at`: 0 is the first, 1 the last that fits.

    The part's start and end bound what there is; where that is shorter than a window, all of it comes.  A film comes as
    (t, side, side, 3) with `reading.frames_per_window` frames evenly spaced over the window, a sound as (samples,).

    Raises:
        MediaError: the file cannot be used, or holds nothing of this modality there.
    """
    kind = kind_of(path, limits)
    try:
        with opened(path, kind) as container:
            recording = Recording(path, kind, container, pieces(path, kind, container))
            length_s = _length_s(recording, part.modality)
            check("seconds", length_s or 0, limits.max_seconds, "max_seconds")
            span = window(part, length_s, reading.window_s, at)
            return _read(part, recording, span, reading, limits)
    except (av.FFmpegError, ValueError, IndexError) as error:
        if isinstance(error, MediaError):
            raise
        raise DamagedMedia(f"the {kind.value} decoder failed: {error}") from error


def window(part: Part, length_s: float | None, window_s: float, at: float) -> Span:
    """Where the window lies: in [start, end] of the part, in [0, length] of the file.

    window(Part(VIDEO, ...), 20.0, 5.0, 0.5) is from 7.5 s to 12.5 s.  Without a length it is the first.

    Raises:
        DamagedMedia: the part starts where the file has ended.
    """
    begin = part.start_s or 0.0
    ends = [end for end in (part.end_s, length_s) if end is not None]
    if not ends:
        return Span(begin, begin + window_s)
    if (end := min(ends)) <= begin:
        raise DamagedMedia(f"it is to be read from {begin:g} s on, but ends at {end:g} s; correct the row's start")
    size = min(window_s, end - begin)
    start = begin + at * (end - begin - size)
    return Span(start, start + size)


def _length_s(recording: Recording, modality: Modality) -> float | None:
    """How long the stream is that is asked for, as far as the file says."""
    container = recording.container
    if recording.pieces:
        return recording.seconds
    stream = picture_stream(container) if modality is Modality.VIDEO else next(iter(container.streams.audio), None)
    if stream is not None and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration * MICROSECOND if container.duration and container.duration > 0 else None


def _read(part: Part, recording: Recording, span: Span, reading: Reading, limits: Limits) -> Part:
    end_s = span.end_s if span.end_s is not None else span.start_s + reading.window_s
    content: Array | Pixels | None
    if part.modality is Modality.VIDEO:
        content = _frames(recording, span.start_s, end_s, reading, limits)
    else:
        content = _samples(recording, span.start_s, end_s, reading)
    if content is None and span.start_s > 0 and part.start_s is None:  # it ends before it says
        with opened(recording.path, recording.kind) as again:
            whole = Span(0.0, end_s - span.start_s)
            return _read(replace(part, start_s=0.0), replace(recording, container=again), whole, reading, limits)
    if content is None:
        what = "pictures" if part.modality is Modality.VIDEO else "sound"
        raise DamagedMedia(f"no {what} can be decoded between {span.start_s:g} s and {end_s:g} s")
    return replace(part, content=content, start_s=span.start_s, end_s=end_s, file=str(recording.path))


def _frames(recording: Recording, start_s: float, end_s: float, reading: Reading, limits: Limits) -> Pixels | None:
    """(t, side, side, 3) from `start_s` to `end_s`: the window 0 of a film that begins at `start_s`."""
    if picture_stream(recording.container) is None:
        raise UnsupportedMedia("it is a sound and has no pictures; name it in an audio column")
    look = film.Look()
    shown = ((a - start_s, b - start_s, shot) for a, b, shot in film.shown(recording, start_s, limits))
    cut = replace(reading, window_s=end_s - start_s)
    frames = Sampler(shown, 0, cut, lambda shot: look.fitted(shot, reading)).take(1).frames.get(0, [])
    return np.stack(frames) if frames else None


def _samples(recording: Recording, start_s: float, end_s: float, reading: Reading) -> Array | None:
    if not recording.container.streams.audio:
        raise UnsupportedMedia("it is a film without sound; name it in a video column")
    heard = sound.samples(recording, start_s, end_s, reading.sample_rate)
    return heard.values if heard.found and len(heard.values) else None
