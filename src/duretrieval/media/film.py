"""Films: windows of frames and of sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from duretrieval.errors import DamagedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.container import frames, opened, origin_s
from duretrieval.media.fit import scaled_size, square
from duretrieval.media.limits import Limits, check
from duretrieval.media.sampling import TAIL, sample, spans, video_parts, windows_per_chunk
from duretrieval.media.signature import Kind
from duretrieval.media.sound import SILENCE, Samples, audio_parts, samples
from duretrieval.types import Pixels, Reading, Scalar

PIXELS_PER_CHUNK = 6e9
"""About what one core decodes in 20 s of common codecs: large films come in shorter chunks."""
BT709, UNSPECIFIED = 1, 2


def read(
    path: Path,
    kind: Kind,
    container: InputContainer,
    stream: VideoStream,
    facts: dict[str, Scalar],
    reading: Reading,
    limits: Limits,
    start: Cursor | None,
) -> Chunk:
    """VIDEO parts, and AUDIO parts where the film is not silent, by window.

    Windows run until both pictures and sound have ended; sound that outlasts the pictures by a trifle does not count.

    Raises:
        DamagedMedia: not one frame and no sound can be decoded.
        LimitExceeded: frames too large, or longer than `limits` allows.
    """
    check(
        "pixels in a frame", stream.codec_context.width * stream.codec_context.height, limits.max_pixels, "max_pixels"
    )
    w = reading.window_s
    first, count = (start.unit if start else 0), _windows_per_chunk(stream, reading)
    begin_s = first * w
    size = Look(stream)
    sampled = sample(shown(container, stream, begin_s), first, count, reading, lambda f: size.fitted(f, reading))
    heard = _sound(path, kind, begin_s, begin_s + (count + TAIL) * w, reading.sample_rate)
    heard_s = begin_s + len(heard.values) / reading.sample_rate
    ended = sampled.ended and heard.ended
    end_s = begin_s + count * w
    if ended:
        end_s = heard_s if heard_s > sampled.end_s + TAIL * w or not sampled.end_s else sampled.end_s
    check("seconds", end_s, limits.max_seconds, "max_seconds")
    cuts = spans(begin_s, end_s, w)
    parts = [
        *video_parts(sampled, cuts, reading),
        *audio_parts(heard.values, begin_s, cuts, reading.sample_rate, floor=SILENCE),
    ]
    parts.sort(key=lambda part: part.start_s or 0)
    if start is None:
        if not parts:
            raise DamagedMedia("neither its pictures nor its sound can be decoded")
        facts = {"kind": "video", **size.fields, **facts}
        if ended:
            facts["seconds"] = round(end_s, 3)
    return Chunk(tuple(parts), facts, None if ended else Cursor(first + count))


class Look:
    """How the frames of a film are shown: turned and stretched as the file says."""

    def __init__(self, stream: VideoStream) -> None:
        ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
        self.stretch = float(ratio) if ratio and 0.1 < float(ratio) < 10 else 1.0
        self.fields: dict[str, Scalar] = {}

    def fitted(self, frame: VideoFrame, reading: Reading) -> Pixels:
        """Scale (swscale, area), turn upright, square: (side, side, 3) uint8."""
        width, height = scaled_size(frame.width * self.stretch, frame.height, reading)
        # Without a tag, players take high definition for BT.709; FFmpeg would take it for BT.601.
        space = BT709 if frame.colorspace == UNSPECIFIED and frame.height >= 720 else None
        scaled = frame.reformat(width, height, "rgb24", interpolation="AREA", src_colorspace=space)
        turns = round(frame.rotation / 90) % 4
        if not self.fields:
            size = [round(frame.width * self.stretch), frame.height]
            self.fields = dict(zip(("width", "height"), size if turns % 2 == 0 else size[::-1], strict=True))
        return square(np.rot90(np.asarray(scaled.to_ndarray(), dtype=np.uint8), turns), reading)


def shown(container: InputContainer, stream: VideoStream, from_s: float) -> Iterator[tuple[float, float, VideoFrame]]:
    """Frames with the seconds between which they are on screen."""
    stream.codec_context.thread_count = 1  # the pool decodes several files at once
    tick = float(stream.time_base or 0)
    usual = 1 / float(stream.average_rate or stream.guessed_rate or 25)
    origin, at = origin_s(container), from_s
    for frame in frames(container, stream, from_s):
        start_s = frame.time - origin if frame.time is not None else at
        at = start_s + (frame.duration * tick if frame.duration else usual)
        yield start_s, at, frame


def _sound(path: Path, kind: Kind, from_s: float, to_s: float, rate: int) -> Samples:
    """The film's sound, from a second look at the file: seeking for pictures and for sound does not mix."""
    with opened(path, kind) as container:
        if not container.streams.audio:
            return Samples(np.zeros(0, dtype=np.float32), ended=True, found=False)
        return samples(container, from_s, to_s, rate)


def _windows_per_chunk(stream: VideoStream, reading: Reading) -> int:
    rate = float(stream.average_rate or 25)
    pixels_per_window = stream.codec_context.width * stream.codec_context.height * rate * reading.window_s
    return max(1, min(windows_per_chunk(reading), int(PIXELS_PER_CHUNK // max(pixels_per_window, 1))))
