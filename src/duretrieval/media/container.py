"""Anything FFmpeg reads: open it, learn what is in it, hand it to `film` or `sound`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from duretrieval.errors import DamagedMedia, EmptyMedia, UnsupportedMedia
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits, check
from duretrieval.media.signature import Kind
from duretrieval.types import Reading, Scalar

MICROSECOND = 1e-6
PREROLL_S = 0.5
"""How much earlier to begin: the first packets after a jump lean on the ones before it (MP3, Opus)."""
_PLACE = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


def read(path: Path, kind: Kind, reading: Reading, limits: Limits, start: Cursor | None) -> Chunk:
    """A stretch of a film or of a sound.

    Raises:
        UnsupportedMedia: FFmpeg does not know it, or has no decoder for what is in it.
        DamagedMedia: it is known but cannot be opened.
        EmptyMedia: there is neither sound nor picture in it.
        LimitExceeded: longer or larger than `limits` allows.
    """
    from duretrieval.media import film, sound

    with opened(path, kind) as container:
        if container.duration:
            check("seconds", container.duration * MICROSECOND, limits.max_seconds, "max_seconds")
        picture = picture_stream(container)
        facts = describe(container) if start is None else {}
        if picture is not None:
            return film.read(path, kind, container, picture, facts, reading, limits, start)
        if container.streams.audio:
            return sound.read(container, facts, reading, limits, start)
    raise EmptyMedia("it holds neither sound nor pictures")


@contextmanager
def opened(path: Path, kind: Kind) -> Iterator[InputContainer]:
    """The container, opened as a local file whatever its name looks like, and nothing else."""
    try:
        # "file:" keeps a name such as "concat:a.mp4" from being taken for a protocol of FFmpeg's.
        container = av.open(
            f"file:{path.absolute()}", "r", metadata_errors="replace", container_options={"protocol_whitelist": "file"}
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
