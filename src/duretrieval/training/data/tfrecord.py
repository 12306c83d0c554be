"""TFRecord files, without TensorFlow: records one after the other, each with its length and two checksums.

uint64 length | uint32 masked CRC-32C of the length | the record | uint32 masked CRC-32C of the record; little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import DamagedMedia
from duretrieval.training.data.crc32c import crc32c, masked

HEAD = struct.Struct("<QI")
TAIL = struct.Struct("<I")
LARGEST = 2**30
"""Bytes in a record, at most: a length beyond is not one."""


def tf_records(path: Path) -> Iterator[bytes]:
    """The records of a file, in order.

    Raises:
        DamagedMedia: a record ends early or does not have its checksum; the message names its number, from 1.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        number = 0
        while head := file.read(HEAD.size):
            number += 1
            if len(head) < HEAD.size:
                raise DamagedMedia(f"record {number} is cut off after {len(head)} bytes; fetch the file again")
            length, check = HEAD.unpack(head)
            if masked(crc32c(head[:8])) != check or length > LARGEST:
                raise DamagedMedia(f"the length of record {number} is damaged, or this is no TFRecord file")
            body = file.read(length + TAIL.size)
            if len(body) < length + TAIL.size:
                have = f"{len(body):,} of {length + TAIL.size:,} bytes"
                raise DamagedMedia(f"record {number} is cut off after {have}; fetch the file again")
            if masked(crc32c(body[:length])) != TAIL.unpack(body[length:])[0]:
                raise DamagedMedia(f"record {number} is damaged: its checksum is another; fetch the file again")
            yield body[:length]
