"""Media joined end to end: where in a file one recording stops and the next begins.

Players go on to the next; FFmpeg takes the length, the way to a second, and what there is, from the first alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer

from duretrieval.errors import MediaError
from duretrieval.media.container import MICROSECOND, Span, opened, picture_stream
from duretrieval.media.edges import EDGES
from duretrieval.media.signature import Kind

BACK_S = 0.3
"""Time stamps that go back by more begin another recording."""
AHEAD_S = 3.0
"""Time stamps of every stream that leap ahead by more do, too."""
TELLING = 3
"""A change of format counts when so many packets in a row agree on it."""
LATER = 100
"""Packets within which every stream has gone over to the next recording."""
TABLES = 50
"""Most packets of tables that are looked for before the first picture of a transport stream."""
_BY_PACKETS = ("mp3", "aac", "mpegts", "mpeg")


@dataclass(frozen=True, slots=True)
class Piece:
    """One recording in a file."""

    span: Span
    seconds: float


def pieces(path: Path, kind: Kind, container: InputContainer) -> tuple[Piece, ...]:
    """The recordings in a file, in order; none where the container's own word on its length is as good."""
    name = container.format.name
    if name not in (*_BY_PACKETS, *EDGES):
        return ()
    facts = path.stat()
    return _found(path, kind, name, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=16)
def _found(path: Path, kind: Kind, name: str, size: int, changed_ns: int) -> tuple[Piece, ...]:
    """Chunk after chunk of a long file asks for the same."""
    return tuple((_by_packets if name in _BY_PACKETS else _by_edges)(path, kind, size, name))


def _by_edges(path: Path, kind: Kind, size: int, name: str) -> Iterator[Piece]:
    """Pieces that begin where their format says so."""
    with path.open("rb") as file:
        edges = [0, *EDGES[name](file), size]
    if len(edges) == 2:
        return
    for start, end in pairwise(edges):
        try:
            with opened(path, kind, span=Span(start, end)) as container:
                seconds = (container.duration or 0) * MICROSECOND or _first_joint(container, _Clock())[1]
        except MediaError:
            continue
        yield Piece(Span(start, end), seconds)


def _by_packets(path: Path, kind: Kind, size: int, name: str) -> Iterator[Piece]:
    """Pieces that only their packets tell apart: by the time on them, or by the format."""
    start = 0
    while start < size:
        try:
            with opened(path, kind, name, Span(start, size)) as container:
                judge = _Clock() if name in ("mpegts", "mpeg") else _Format(name)
                place, seconds = _first_joint(container, judge)
        except MediaError:
            return
        end = size if place is None else start + place
        if place is not None and name in ("mpegts", "mpeg"):
            with path.open("rb") as file:
                end = _head_before(file, end, start)
        if end <= start:
            return
        yield Piece(Span(start, end), seconds)
        start = end


def _first_joint(container: InputContainer, judge: _Clock | _Format) -> tuple[int | None, float]:
    """Byte at which the next recording begins (None: there is none), and the seconds before it."""
    wanted = [stream for stream in (picture_stream(container), *container.streams.audio[:1]) if stream is not None]
    origin = container.start_time * MICROSECOND if container.start_time is not None else None
    end = 0.0
    packets: Iterator[tuple[Any, float]] = _timed(container.demux(wanted))
    for packet, time_s in packets:
        origin = time_s if origin is None else origin
        verdict = judge(packet, time_s)
        if verdict:
            return min([verdict, *judge.others(packets)]), end
        if verdict is None:
            shown_s = float(packet.pts * packet.time_base) if packet.pts is not None else time_s
            shown_s = shown_s if abs(shown_s - time_s) < AHEAD_S else time_s
            end = max(end, shown_s + float((packet.duration or 0) * packet.time_base) - origin)
    return None, end


def _timed(packets: Iterator[Any]) -> Iterator[tuple[Any, float]]:
    """The packets, in their order in the file, with the second on each; as far as they can be read."""
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is not None and packet.size:
            yield packet, float(stamp * packet.time_base)


class _Clock:
    """Whether the time on packets goes on as it did. One that is alone with another time is damaged."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}
        self._odd: tuple[int, int, float] | None = None
        """Stream, place and time of a packet that does not fit."""

    def __call__(self, packet: Any, time_s: float) -> int | None:
        """None: it fits; 0: it does not; else the byte where another clock began."""
        index = packet.stream_index
        if self._fits(index, time_s):
            self._last[index] = time_s
            self._odd = self._odd if self._odd and self._odd[0] != index else None
            return None
        odd, self._odd = self._odd, (index, packet.pos or 0, time_s)
        if odd is None or not odd[1]:
            return 0
        if abs(time_s - odd[2]) <= AHEAD_S:
            return min(odd[1], packet.pos or odd[1])
        if odd[0] == index and time_s > odd[2] > self._last[index]:  # so slow that it always leaps
            self._last[index], self._odd = time_s, None
            return None
        return 0

    def others(self, packets: Iterator[tuple[Any, float]]) -> Iterator[int]:
        """Where other streams go over to the new clock: a picture is whole, and so told of, later than a sound."""
        for packet, time_s in islice(packets, LATER):
            if packet.pos and not self._fits(packet.stream_index, time_s):
                yield int(packet.pos)

    def _fits(self, index: int, time_s: float) -> bool:
        last = self._last.get(index)
        return last is None or last - BACK_S <= time_s <= max(self._last.values()) + AHEAD_S


class _Format:
    """Whether packets are of the format that the first was, and none begins a file (MP3's Xing, Info or VBRI frame)."""

    def __init__(self, name: str) -> None:
        self._mask = 0x3C if name == "aac" else 0x0C
        self._first: tuple[int, int] | None = None
        self._odd: list[tuple[int, tuple[int, int]]] = []

    def __call__(self, packet: Any, time_s: float) -> int | None:
        """None: it is; 0: it may not be; else the byte where the next file begins."""
        head = bytes(packet)[:64]
        if len(head) < 4 or head[0] != 0xFF:
            return None
        form = (head[1] & 0xFE, head[2] & self._mask)
        if self._first is None:
            self._first = form
        elif any(mark in head for mark in (b"Xing", b"Info", b"VBRI")) and packet.pos:
            return int(packet.pos)
        if form == self._first:
            self._odd.clear()
            return None
        if self._odd and self._odd[0][1] != form:
            self._odd.clear()
        self._odd.append((packet.pos or 0, form))
        return self._odd[0][0] if len(self._odd) >= TELLING else 0

    def others(self, packets: Iterator[tuple[Any, float]]) -> Iterator[int]:
        """There is one stream."""
        return iter(())


def _head_before(file: BinaryIO, at: int, least: int) -> int:
    """The byte where a recording begins whose first packet of media is at `at`: its tables stand before that."""
    file.seek(at)
    if file.read(1) != b"G":  # a program stream: the header of its pack (ISO/IEC 13818-1, 2.5.3.3)
        begin = max(least, at - 64)
        file.seek(begin)
        pack = file.read(at - begin).rfind(b"\0\0\1\xba")
        return begin + pack if pack >= 0 else at
    stride = next((n for n in (188, 192, 204) if _sync(file, at + n)), 188)
    for _ in range(TABLES):
        file.seek(max(at - stride, 0))
        if at - stride < least or not _table(file.read(188)):
            break
        at -= stride
    return max(at - 4, least) if stride == 192 else at


def _sync(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(1) in (b"G", b"")


def _table(packet: bytes) -> bool:
    """Whether a packet of a transport stream holds a table or nothing, not media (ISO/IEC 13818-1, 2.4.3)."""
    if len(packet) < 188 or packet[0] != 0x47:
        return False
    number = int.from_bytes(packet[1:3], "big") & 0x1FFF
    content = 5 + packet[4] if packet[3] & 0x20 else 4
    begins = bool(packet[1] & 0x40) and packet[content : content + 3] != b"\0\0\1"
    return number < 0x20 or number == 0x1FFF or begins
