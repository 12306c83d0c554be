"""Films: windows of frames and of sound."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from duretrieval.errors import DamagedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.container import Recording, frames, opened, picture_stream
from duretrieval.media.fit import on_white, scaled_size, square
from duretrieval.media.limits import Limits, check
from duretrieval.media.sampling import TAIL, Sampler, spans, video_parts, windows_per_chunk
from duretrieval.media.sound import SILENCE, Samples, audio_parts, samples
from duretrieval.types import Modality, Part, Pixels, Reading, Scalar

PIXELS_PER_CHUNK = 6e9
"""About what one core decodes in 20 s of common codecs: large films come in shorter chunks."""
BT709, UNSPECIFIED = 1, 2
Turn = tuple[tuple[int, int], tuple[int, int]]


def read(
    recording: Recording,
    stream: VideoStream,
    facts: dict[str, Scalar],
    reading: Reading,
    limits: Limits,
    start: Cursor | None,
) -> Chunk:
    """VIDEO parts, and AUDIO parts where the film is not silent, by window.

    Windows run until both pictures and sound have ended; sound that outlasts the pictures by a trifle does not count. A
    film of a single frame and no sound is a picture: one IMAGE part.

    Raises:
        DamagedMedia: not one frame and no sound can be decoded.
        LimitExceeded: frames too large, or longer than `limits` allows.
    """
    w = reading.window_s
    first, count = (start.unit if start else 0), _windows_per_chunk(stream, reading)
    begin_s = first * w
    size = Look()
    moving = shown(recording, begin_s, limits)
    sampled = Sampler(moving, first, reading, lambda shot: size.fitted(shot, reading)).take(count)
    heard = _sound(recording, begin_s, begin_s + (count + TAIL) * w, reading.sample_rate)
    heard_s = begin_s + len(heard.values) / reading.sample_rate
    ended = sampled.ended and heard.ended
    end_s = begin_s + count * w
    if ended:
        end_s = heard_s if heard_s > sampled.end_s + TAIL * w or not sampled.end_s else sampled.end_s
    check("seconds", end_s, limits.max_seconds, "max_seconds")
    if start is None and sampled.seen == 1 and not heard.found and next(moving, None) is None:
        frame, *_ = next(iter(sampled.frames.values()))
        facts.pop("seconds", None)
        return Chunk((Part(Modality.IMAGE, frame),), {"kind": "image", **size.fields, **facts})
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


class Shot(NamedTuple):
    """A frame, and how much wider than its pixels say it is shown."""

    frame: VideoFrame
    stretch: float


class Look:
    """How the frames of a film are shown: turned and stretched as the file says."""

    def __init__(self) -> None:
        self.fields: dict[str, Scalar] = {}

    def fitted(self, shot: Shot, reading: Reading) -> Pixels:
        """Scale (swscale, area), turn upright, square: (side, side, 3) uint8."""
        frame = shot.frame
        width, height = scaled_size(frame.width * shot.stretch, frame.height, reading)
        # Without a tag, players take high definition for BT.709; FFmpeg would take it for BT.601.
        space = BT709 if frame.colorspace == UNSPECIFIED and frame.height >= 720 else None
        clear = any(component.is_alpha for component in frame.format.components)
        form = "rgba" if clear else "rgb24"
        scaled = frame.reformat(width, height, form, interpolation="AREA", src_colorspace=space)
        pixels = np.asarray(scaled.to_ndarray(), dtype=np.uint8)
        matrix = display(frame)
        if not self.fields:
            size = [round(frame.width * shot.stretch), frame.height]
            self.fields = dict(zip(("width", "height"), size[::-1] if lies(matrix) else size, strict=True))
        return square(upright(on_white(pixels) if clear else pixels, matrix), reading)


def display(frame: VideoFrame) -> Turn:
    """The frame's display matrix ((a, c), (b, d)): what is at (x, y) is to be seen at (a x + c y, b x + d y).

    ISO/IEC 14496-12, 6.2.2; `VideoFrame.rotation` knows only turns, and takes mirrored films for turned ones.
    """
    sides: Any = frame.side_data  # its stub knows few keys
    try:
        data = bytes(sides[SideDataType.DISPLAYMATRIX])
    except KeyError:
        return ((1, 0), (0, 1))
    a, b, _, c, d = struct.unpack_from("=5i", data)
    return ((a, c), (b, d))


def lies(matrix: Turn) -> bool:
    """Whether the matrix makes rows of columns."""
    (a, c), _ = matrix
    return abs(c) > abs(a)


def upright(pixels: Pixels, matrix: Turn) -> Pixels:
    """(h, w, 3) as the matrix shows it, by the nearest of the eight turns and mirrorings."""
    (a, c), (b, d) = matrix
    if lies(matrix):
        pixels, x, y = pixels.transpose(1, 0, 2), c, b
    else:
        x, y = a, d
    return pixels[:: -1 if y < 0 else 1, :: -1 if x < 0 else 1]


def shown(recording: Recording, from_s: float, limits: Limits) -> Iterator[tuple[float, float, Shot]]:
    """Frames with the seconds between which they are on screen."""
    at = from_s
    for stretch in recording.stretches(from_s):
        stream = picture_stream(stretch.container)
        if stream is None:
            continue
        codec = stream.codec_context
        check("pixels in a frame", codec.width * codec.height, limits.max_pixels, "max_pixels")
        codec.thread_count = 1  # the pool decodes several files at once
        ratio = float(stream.sample_aspect_ratio or codec.sample_aspect_ratio or 1)
        tick = float(stream.time_base or 0)
        usual = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        for frame in frames(stretch.container, stream, stretch.from_s):
            second = stretch.second(frame.time)
            start_s = second if second is not None else at
            at = start_s + (frame.duration * tick if frame.duration else usual)
            yield start_s, at, Shot(frame, ratio if 0.1 < ratio < 10 else 1.0)


def _sound(recording: Recording, from_s: float, to_s: float, rate: int) -> Samples:
    """The film's sound, from a second look at the file: seeking for pictures and for sound does not mix."""
    with opened(recording.path, recording.kind) as container:
        return samples(replace(recording, container=container), from_s, to_s, rate)


def _windows_per_chunk(stream: VideoStream, reading: Reading) -> int:
    rate = float(stream.average_rate or 25)
    pixels_per_window = stream.codec_context.width * stream.codec_context.height * rate * reading.window_s
    return max(1, min(windows_per_chunk(reading), int(PIXELS_PER_CHUNK // max(pixels_per_window, 1))))
