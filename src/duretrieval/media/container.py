"""What a film's or a sound's container says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from duretrieval.errors import DamagedMedia, UnsupportedMedia
from duretrieval.types import Scalar

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

_ISO6709 = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The file, open for demuxing.

    Raises:
        UnsupportedMedia: no demuxer knows it.
        DamagedMedia: one does, and cannot open it.
    """
    import av

    av.logging.set_level(av.logging.PANIC)
    try:
        container = av.open(str(path), metadata_errors="replace")
    except av.error.InvalidDataError as error:
        raise UnsupportedMedia("no reader knows this kind of file, or its header is damaged") from error
    except av.error.FFmpegError as error:
        raise DamagedMedia(f"it cannot be opened: {error.strerror}") from error
    with container:
        yield container


def film_stream(container: InputContainer) -> VideoStream | None:
    """The stream of moving pictures; the cover of a song is not one."""
    import av

    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    for stream in container.streams.video:
        if not stream.disposition & still and stream.codec_context is not None:
            return stream
    return None


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The first stream of sound."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def seconds(container: InputContainer) -> float | None:
    """How long it lasts, or None where nothing says so."""
    if container.duration is not None:
        return container.duration / 1_000_000
    lengths = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(lengths, default=None)


def clock(container: InputContainer) -> float:
    """What its timestamps read at its beginning, in seconds; recordings of broadcasts start anywhere."""
    return (container.start_time or 0) / 1_000_000


def fields(container: InputContainer) -> dict[str, Scalar]:
    """title, artist, taken, camera, lat, lon: those that are there."""
    tags = {key.lower(): value for key, value in container.metadata.items()}
    found: dict[str, Scalar] = {name: tags[name] for name in ("title", "artist") if tags.get(name)}
    camera = " ".join(filter(None, (tags.get(f"com.apple.quicktime.{part}") for part in ("make", "model"))))
    if camera:
        found["camera"] = camera
    try:
        taken = datetime.fromisoformat(tags.get("creation_time", ""))
    except ValueError:
        taken = None
    if taken is not None and taken.tzinfo is not None and taken.year > 1971:  # 1904 and 1970 mean "not set"
        found["taken"] = taken
    place = _ISO6709.match(tags.get("com.apple.quicktime.location.iso6709") or tags.get("location") or "")
    if place and abs(float(place[1])) <= 90 and abs(float(place[2])) <= 180:
        found |= {"lat": float(place[1]), "lon": float(place[2])}
    return found
