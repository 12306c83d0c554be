"""The frames on screen at given moments of a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from duretrieval.media.container import clock
from duretrieval.media.fit import square
from duretrieval.types import Pixels, Reading

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

THREADS = 4
"""Of one decoder, at most: each reserves address space, which `Limits.memory_bytes` bounds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What some moments of a film show."""

    shown: list[tuple[float, Pixels]]
    """(moment in seconds, (side, side, 3) uint8), rising."""
    end: float
    """Seconds at which the film ends, where that is before the last moment; infinity otherwise."""
    sideways: bool
    """Whether the film is turned by a quarter, so that width and height change places."""


def at(container: InputContainer, stream: VideoStream, moments: Sequence[float], reading: Reading) -> Seen:
    """The frame on screen at each of `moments` (rising, seconds).

    Moments after the film's end are left out; the first frame stands for moments before it.
    """
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = THREADS
    seek(container, stream, moments[0])
    shown: list[tuple[float, Pixels]] = []
    waiting = list(reversed(moments))
    last: VideoFrame | None = None
    end = 0.0
    for time, frame in _frames(container, stream):
        while waiting and time > waiting[-1]:
            moment = waiting.pop()
            shown.append((moment, _pixels(last if last is not None else frame, reading)))
        if not waiting:
            end = float("inf")
            break
        last, end = frame, time + _lasts(frame)
    while last is not None and waiting and (waiting[-1] < end or not shown):
        shown.append((waiting.pop(), _pixels(last, reading)))
    return Seen(shown, end, last is not None and _turn(last) in (90, 270))


def decoded(container: InputContainer, stream: Stream) -> Iterator[object]:
    """Frames of a stream; packets that do not decode are passed over, and a file that breaks off ends there."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        try:
            found = packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue
        yield from found


def seek(container: InputContainer, stream: Stream, moment: float) -> None:
    """Go to the last key frame before `moment`; a container that cannot seek is read from where it stands."""
    import av

    if moment <= 0 or not stream.time_base:
        return
    with suppress(av.error.FFmpegError):
        container.seek(int((moment + clock(container)) / stream.time_base), stream=stream)


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, VideoFrame]]:
    zero = clock(container)
    for frame in decoded(container, stream):
        time = getattr(frame, "time", None)
        if time is not None:
            yield time - zero, frame  # type: ignore[misc]


def _lasts(frame: VideoFrame) -> float:
    """Seconds on screen; 25 frames a second where it does not say."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.04


def _pixels(frame: VideoFrame, reading: Reading) -> Pixels:
    """Upright and square; the scaler halves large frames first, which costs less than Pillow's."""
    from PIL import Image

    scale = min(1.0, 2 * reading.image_side / min(frame.width, frame.height))
    w, h = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    picture = Image.fromarray(np.asarray(frame.reformat(width=w, height=h, format="rgb24").to_ndarray()))
    if turn := _turn(frame):
        picture = picture.rotate(turn, expand=True)
    return square(picture, reading)


def _turn(frame: VideoFrame) -> int:
    """Degrees, counter-clockwise, by which a player turns it: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) % 4 * 90
