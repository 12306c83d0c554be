"""Reads the variables of a TensorFlow checkpoint without TensorFlow.

The index is a sorted string table (LevelDB's format): blocks of prefix-compressed keys, found through a footer;
each value is a BundleEntryProto that says where in the data file the tensor's bytes lie.  TensorFlow sources:
core/util/tensor_bundle, core/lib/io/format.cc, core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FLOAT = 1
FOOTER_BYTES = 48


def variables(prefix: Path) -> dict[str, np.ndarray]:
    """Every float32 variable of `prefix`.index and its single data shard, by its name in the object graph."""
    index = Path(f"{prefix}.index").read_bytes()
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    footer = index[-FOOTER_BYTES:]
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    out = {}
    for _, handle in _entries(index, *_handle(footer, at)):
        for key, value in _entries(index, *_handle(handle, 0)):
            entry = dict(_fields(value))
            if key and entry.get(1) == FLOAT:
                start = int(entry.get(4, 0))
                shape = [int(dict(_fields(dim)).get(1, 0)) for tag, dim in _fields(entry.get(2, b"")) if tag == 2]
                values = np.frombuffer(data[start : start + int(entry[5])], "<f4")
                out[key.decode()] = values.reshape(shape)
    return out


def _handle(data: bytes, at: int) -> tuple[int, int]:
    """Offset and size of a block."""
    offset, at = _varint(data, at)
    size, _ = _varint(data, at)
    return offset, size


def _entries(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every entry of a block; a key begins with the first `shared` bytes of the one before."""
    if index[offset + size] != 0:
        raise ValueError("this checkpoint index is compressed; only plain blocks are read here")
    block = index[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and raw value of a protocol buffer, in order."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 2:
            length, at = _varint(message, at)
            yield number, message[at : at + length]
            at += length
        else:
            width = {1: 8, 5: 4}[kind]
            yield number, message[at : at + width]
            at += width


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
