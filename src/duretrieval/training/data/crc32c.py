"""The checksum of TFRecord files: CRC-32C (Castagnoli), the bytes of a long record many at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78
"""Bits reversed (RFC 3720, section B.4)."""
LANES = 256
"""Pieces of a record that go through the table side by side."""


def crc32c(data: bytes) -> int:
    """CRC-32C of bytes. crc32c(b"123456789") == 0xE3069283.

    With T the table of single bytes, the remainder r of a prefix becomes (r >> 8) ^ T[(r ^ byte) & 255].  That map is
    linear over GF(2), so pieces of equal length are run side by side from 0, and the remainder of two pieces is that
    of the first, carried over as many zero bytes as the second has, ^ that of the second.
    """
    size = len(data) // LANES
    remainder = 0xFFFFFFFF
    done = 0
    if size > 0:
        lanes = np.frombuffer(data, np.uint8, LANES * size).reshape(LANES, size)
        pieces = np.zeros(LANES, np.uint32)
        for column in lanes.T:
            pieces = (pieces >> 8) ^ TABLE[(pieces ^ column) & 255]
        carry = _zeros(size)
        for piece in pieces.tolist():
            remainder = _carried(carry, remainder) ^ piece
        done = LANES * size
    for byte in data[done:]:
        remainder = (remainder >> 8) ^ int(TABLE[(remainder ^ byte) & 255])
    return remainder ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """As TFRecord writes it: ((crc >> 15) | (crc << 17)) + 0xa282ead8, in 32 bits."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _table() -> Words:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(POLYNOMIAL), values >> 1)
    return values


TABLE = _table()


def _zeros(count: int) -> list[list[int]]:
    """What `count` zero bytes make of a remainder, as four tables, one for each of its bytes: the map is linear."""
    moved: Words = np.uint32(1) << np.arange(32, dtype=np.uint32)  # of each single bit
    step: Words = (moved >> 8) ^ TABLE[moved & 255]
    result = moved
    while count:
        if count & 1:
            result = _through(step, result)
        step = _through(step, step)
        count >>= 1
    return [_through(result, np.arange(256, dtype=np.uint32) << np.uint32(8 * byte)).tolist() for byte in range(4)]


def _through(columns: Words, values: Words) -> Words:
    """A linear map, given by what it makes of each single bit, applied to each value."""
    bits = (values[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    out: Words = np.bitwise_xor.reduce(np.where(bits, columns, np.uint32(0)), axis=1)
    return out


def _carried(tables: list[list[int]], value: int) -> int:
    a, b, c, d = tables
    return a[value & 255] ^ b[(value >> 8) & 255] ^ c[(value >> 16) & 255] ^ d[value >> 24]
