"""The frames on screen at given moments of a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from duretrieval.media.fit import square
from duretrieval.types import Pixels, Reading

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


def at(
    container: InputContainer, stream: VideoStream, moments: Sequence[float], reading: Reading
) -> tuple[list[tuple[float, Pixels]], float]:
    """For each moment (rising, seconds) the frame on screen then, as (moment, (side, side, 3) uint8); the film's end.

    Moments after the end are left out; the first frame stands for moments before it. The end is only known, and is
    infinity otherwise, when it comes before the last moment.
    """
    stream.thread_type = "AUTO"
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
            return shown, float("inf")
        last, end = frame, time + (float(frame.duration * frame.time_base) if frame.duration else 0.04)
    while last is not None and waiting and (waiting[-1] < end or not shown):
        shown.append((waiting.pop(), _pixels(last, reading)))
    return shown, end


def decoded(container: InputContainer, stream: Stream) -> Iterator[object]:
    """Frames of a stream; packets that do not decode are passed over."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            continue
        except av.error.FFmpegError:
            return


def seek(container: InputContainer, stream: Stream, moment: float) -> None:
    """Go to the last key frame before `moment`; a container that cannot seek is read from where it stands."""
    import av

    if moment <= 0 or not stream.time_base:
        return
    try:
        container.seek(int(moment / stream.time_base) + (stream.start_time or 0), stream=stream)
    except av.error.FFmpegError:
        return


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[tuple[float, VideoFrame]]:
    zero = float((stream.start_time or 0) * stream.time_base) if stream.time_base else 0.0
    for frame in decoded(container, stream):
        time = getattr(frame, "time", None)
        if time is not None:
            yield time - zero, frame  # type: ignore[misc]


def _pixels(frame: VideoFrame, reading: Reading) -> Pixels:
    """Upright and square; the scaler halves large frames first, which costs less than Pillow's."""
    from PIL import Image

    scale = min(1.0, 2 * reading.image_side / min(frame.width, frame.height))
    w, h = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    picture = Image.fromarray(np.asarray(frame.reformat(width=w, height=h, format="rgb24").to_ndarray()))
    if turn := int(frame.rotation) % 360:
        picture = picture.rotate(turn, expand=True)
    return square(picture, reading)
