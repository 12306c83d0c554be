"""Anything FFmpeg reads: open it, and learn what is in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from duretrieval.errors import DamagedMedia, MediaError, UnsupportedMedia
from duretrieval.media.signature import Kind
from duretrieval.types import Scalar

if TYPE_CHECKING:
    from duretrieval.media.joined import Piece

MICROSECOND = 1e-6
PREROLL_S = 0.5
"""How much earlier to begin: the first packets after a jump lean on the ones before it (MP3, Opus)."""
BEYOND_S = 3.0
"""A time stamp so far behind the end is damaged."""
_PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file, from the one at `start` to the one before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A container that is open, for some of a recording."""

    container: InputContainer
    begin_s: float
    """Second of the recording at which it begins."""
    end_s: float
    """And ends; infinite where that is not known."""
    from_s: float
    """Second of its own from which on it is wanted."""

    def second(self, time_s: float | None) -> float | None:
        """A time stamp of the container's as a second of the recording; None where it is far beyond its end."""
        if time_s is None or (second := time_s - origin_s(self.container) + self.begin_s) > self.end_s + BEYOND_S:
            return None
        return second


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that is open, and what it was joined from."""

    path: Path
    kind: Kind
    container: InputContainer
    pieces: tuple[Piece, ...]

    @property
    def seconds(self) -> float:
        """How long it is, as far as that can be told without decoding it; 0 where it cannot."""
        told = (self.container.duration or 0) * MICROSECOND
        return sum(piece.seconds for piece in self.pieces) if self.pieces else max(told, 0)

    def stretches(self, from_s: float) -> Iterator[Stretch]:
        """The containers that follow one another from `from_s` on; pieces that cannot be opened are silent and dark."""
        if len(self.pieces) < 2:
            yield Stretch(self.container, 0.0, self.seconds if self.pieces else math.inf, from_s)
            return
        end = 0.0
        for piece in self.pieces:
            begin, end = end, end + piece.seconds
            if end <= from_s - PREROLL_S:
                continue
            try:
                with opened(self.path, self.kind, span=piece.span) as container:
                    yield Stretch(container, begin, end, max(from_s - begin, 0))
            except MediaError:
                continue


@contextmanager
def opened(path: Path, kind: Kind, demuxer: str | None = None, span: Span | None = None) -> Iterator[InputContainer]:
    """The container, opened as a local file, or some bytes of it, whatever its name looks like, and nothing else."""
    name = f"file:{path.absolute()}"
    try:
        # "file:" keeps a name such as "concat:a.mp4" from being taken for a protocol of FFmpeg's.
        container = av.open(
            f"subfile,,start,{span.start},end,{span.end},,:{name}" if span else name,
            "r",
            format=demuxer,
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file,subfile" if span else "file"},
        )
    except av.FFmpegError as error:
        if kind is Kind.MEDIA:
            raise UnsupportedMedia("nothing here reads this kind of file") from error
        raise DamagedMedia(f"it begins as {kind.value} does but cannot be opened: {error.strerror}") from error
    with container:
        yield container


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The stream of moving pictures; the cover art of a song is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    return best if best in moving else next(iter(moving), None)


def origin_s(container: InputContainer) -> float:
    """Time stamp of the container's beginning, which we call 0 s."""
    return (container.start_time or 0) * MICROSECOND


def frames(container: InputContainer, stream: Any, from_s: float) -> Iterator[Any]:
    """Decode a stream from a key frame before `from_s` on; packets that do not decode are left out.

    from_s: seconds after the container's beginning.
    """
    if from_s > 0:
        try:
            container.seek(int((max(from_s - PREROLL_S, 0) + origin_s(container)) / MICROSECOND))
        except av.FFmpegError:
            container.seek(0)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            continue
        yield from decoded


def describe(container: InputContainer) -> dict[str, Scalar]:
    """seconds, title, artist, taken (UTC), camera, lat and lon, as far as the container says."""
    from duretrieval.media.exif import camera_name

    tags = _tags(container)
    facts: dict[str, Scalar] = {}
    if container.duration and container.duration > 0:
        facts["seconds"] = round(container.duration * MICROSECOND, 3)
    for name, keys in {"title": ("title",), "artist": ("artist", "album_artist", "author")}.items():
        if value := next((tags[key] for key in keys if tags.get(key)), ""):
            facts[name] = value
    if taken := _taken(tags):
        facts["taken"] = taken
    apple = "com.apple.quicktime."
    if camera := camera_name(
        tags.get("make", tags.get(f"{apple}make", "")), tags.get("model", tags.get(f"{apple}model", ""))
    ):
        facts["camera"] = camera
    place = _PLACE.match(tags.get("location") or tags.get(f"{apple}location.iso6709", ""))
    if place and abs(float(place[1])) <= 90 and abs(float(place[2])) <= 180:
        facts["lat"], facts["lon"] = float(place[1]), float(place[2])
    return facts


def _tags(container: InputContainer) -> Mapping[str, str]:
    """Tags of the streams (Ogg keeps them there), then of the container, keys in lower case."""
    tags: dict[str, str] = {}
    streams = (*container.streams.audio, *container.streams.video)
    for metadata in (*(stream.metadata for stream in streams), container.metadata):
        tags.update({key.lower(): value.replace("\0", "").strip() for key, value in metadata.items()})
    return tags


def _taken(tags: Mapping[str, str]) -> datetime | None:
    """When it was recorded; containers that do not know say 1904 or 1970."""
    try:
        when = datetime.fromisoformat(tags.get("com.apple.quicktime.creationdate") or tags.get("creation_time", ""))
        when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # no date, or one that no calendar holds in UTC
        return None
    return when if when.year > 1970 else None
