"""The chunks of a PNG (ISO/IEC 15948, 5.3), for where Pillow stops at one that holds no pixels."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"IDAT", b"fdAT", b"eXIf", b"IEND")
"""What the pixels, their order in time and the way up are in. Not text, colour profiles, or what programs add."""


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Name and length of each chunk, with the file standing at its content; the content may be read or not."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], length
        at += 12 + length


def pixels_only(file: BinaryIO) -> bytes:
    """The PNG without what is not its picture: text of any size, profiles, what has a wrong checksum beside them."""
    kept = bytearray(SIGNATURE)
    for name, length in chunks(file):
        if name in PICTURE:
            chunk = name + file.read(length)
            checksum = file.read(4)
            if name[0] & 0x20 and zlib.crc32(chunk).to_bytes(4, "big") != checksum:
                continue
            kept += length.to_bytes(4, "big") + chunk + checksum
    return bytes(kept)


def late_exif(file: BinaryIO) -> bytes:
    """The camera's record, wherever in the file it stands; Pillow sees only what stands before an animation."""
    return next((file.read(length) for name, length in chunks(file) if name == b"eXIf"), b"")
