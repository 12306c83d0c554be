"""Where in a file the next recording begins, for formats that say so; the first one's beginning is not told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import BinaryIO

BLOCK = 2**20
SIGN = 32
"""Bytes within which a sign ends."""


def _chained_ogg(file: BinaryIO) -> Iterator[int]:
    """Pages that begin a stream and follow one that does not (RFC 3533, 4 and 6)."""
    at: int | None = 0
    begun = True
    while at is not None and len(head := _read(file, at, 27)) == 27:
        if not head.startswith(b"OggS"):
            at = next(_signs(file, _OGG, at + 1), None)
            continue
        begins = bool(head[5] & 2)
        if begins and not begun:
            yield at
        begun = begins
        at += 27 + head[26] + sum(file.read(head[26]))


def _chained_chunks(file: BinaryIO) -> Iterator[int]:
    """Chunks "RIFF" or "FORM" that follow the first (a WAVE or AIFF file is one chunk)."""
    at = 0
    while (head := _read(file, at, 12))[:4] in (b"RIFF", b"FORM") and head[8:] in (b"WAVE", b"AIFF", b"AIFC"):
        if at:
            yield at
        size = int.from_bytes(head[4:8], "little" if head.startswith(b"RIFF") else "big")
        at += 8 + size + size % 2


def _chained_wavpack(file: BinaryIO) -> Iterator[int]:
    """Blocks of first channels that begin at sample 0 (WavPack 4 and 5, "Block Format"); tags may lie between files."""
    at: int | None = 0
    while at is not None and len(head := _read(file, at, 32)) == 32:
        if not head.startswith(b"wvpk"):
            at = next(_signs(file, _WAVPACK, at + 1), None)
            continue
        if at and head[25] & 8 and not head[10] and not any(head[16:20]):
            yield at
        at += 8 + int.from_bytes(head[4:8], "little")


def _chained_boxes(file: BinaryIO) -> Iterator[int]:
    """Boxes "ftyp" that follow the first (ISO/IEC 14496-12, 4.2 and 4.3)."""
    at = 0
    while len(head := _read(file, at, 16)) >= 8:
        if at and head[4:8] == b"ftyp":
            yield at
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if size < 8:
            return
        at += size


def _chained_ebml(file: BinaryIO) -> Iterator[int]:
    """EBML headers that follow the first (RFC 8794, 4 to 8.1); none behind a live recording, which tells no length."""
    at = 0
    while len(head := _read(file, at, 12)) == 12:
        if at and head.startswith(b"\x1aE\xdf\xa3"):
            yield at
        name = 9 - head[0].bit_length()
        if name > 4 or not head[name]:
            return
        length = 9 - head[name].bit_length()
        size = int.from_bytes(head[name : name + length], "big") & (1 << 7 * length) - 1
        if size == (1 << 7 * length) - 1:
            return
        at += name + length + size


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _signs(file: BinaryIO, sign: re.Pattern[bytes], at: int = 1) -> Iterator[int]:
    """Where the sign stands from the byte `at` on."""
    while block := _read(file, at, BLOCK):
        if found := sign.search(block):
            yield at + found.start()
            at += found.end()
        elif len(block) < BLOCK:
            return
        else:
            at += BLOCK - SIGN


_OGG, _WAVPACK = re.compile(b"OggS"), re.compile(b"wvpk")
_WALKS: Mapping[str, Callable[[BinaryIO], Iterator[int]]] = {
    "ogg": _chained_ogg,
    "wav": _chained_chunks,
    "aiff": _chained_chunks,
    "wv": _chained_wavpack,
    "mov,mp4,m4a,3gp,3g2,mj2": _chained_boxes,
    "matroska,webm": _chained_ebml,
}
"""Formats that tell how long their pieces are."""
_SIGNS = {
    "flac": re.compile(rb"fLaC\0\0\0\x22"),  # and a block of stream information (RFC 9639, 8)
    "flv": re.compile(rb"FLV\x01[\x00\x01\x04\x05]\0\0\0\x09\0{4}"),
    "asf": re.compile(rb"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel"),
    "nut": re.compile(rb"nut/multimedia container\0"),
    "caf": re.compile(rb"caff\0\x01\0\0desc"),
    "w64": re.compile(rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0"),
    "rm": re.compile(rb"\.RMF\0\0\0\x12"),
    "tta": re.compile(rb"TTA1\x01\0[\x01-\x20]\0"),
    "voc": re.compile(rb"Creative Voice File\x1a"),
}
"""Formats whose files begin with bytes that stand nowhere else."""

EDGES: Mapping[str, Callable[[BinaryIO], Iterator[int]]] = {
    **_WALKS,
    **{name: partial(_signs, sign=sign) for name, sign in _SIGNS.items()},
}
"""By FFmpeg's name of the format."""
