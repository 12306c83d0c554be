"""tf.Example and tf.SequenceExample from their protobuf wire format.

Example          { Features context = 1; }
SequenceExample  { Features context = 1; FeatureLists lists = 2; }
Features         { map<string, Feature> feature = 1; }       a map is repeated { key = 1; value = 2; }
FeatureLists     { map<string, FeatureList> list = 1; }
FeatureList      { repeated Feature feature = 1; }
Feature          { BytesList bytes = 1; FloatList floats = 2; Int64List ints = 3; }   each { repeated value = 1; }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duretrieval.errors import DamagedMedia

Feature = list[bytes] | npt.NDArray[np.float32] | list[int]
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Example:
    """A record: features by name, and lists of features by name (one for each frame)."""

    features: dict[str, Feature]
    lists: dict[str, list[Feature]]


def parse_example(record: bytes) -> Example:
    """An Example or a SequenceExample; the former has no lists.

    Raises:
        DamagedMedia: it is neither.
    """
    try:
        features: dict[str, Feature] = {}
        lists: dict[str, list[Feature]] = {}
        for field, value in _fields(record):
            for _, entry in _fields(_bytes(value)):
                name, content = _entry(_bytes(entry))
                if field == 1:
                    features[name] = _feature(content)
                elif field == 2:
                    lists[name] = [_feature(_bytes(one)) for _, one in _fields(content)]
        return Example(features, lists)
    except (IndexError, UnicodeDecodeError, ValueError) as error:
        raise DamagedMedia(f"the record is no tf.Example: {error}") from error


def _entry(data: bytes) -> tuple[str, bytes]:
    held = dict(_fields(data))
    return _bytes(held.get(1, b"")).decode("utf-8"), _bytes(held.get(2, b""))


def _feature(data: bytes) -> Feature:
    for kind, held in _fields(data):
        values = [value for field, value in _fields(_bytes(held)) if field == 1]
        if kind == 1:
            return [_bytes(value) for value in values]
        if kind == 2:  # packed, or four bytes each: alike when put together
            return np.frombuffer(b"".join(_bytes(value) for value in values), "<f4").astype(np.float32)
        if kind == 3:
            return [number for value in values for number in ([value] if isinstance(value, int) else _packed(value))]
    return []


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """(field number, value): whole numbers for varints, bytes for everything else."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if key & 7 == LENGTH:
            size, at = _varint(data, at)
        elif key & 7 in (FIXED32, FIXED64):
            size = 4 if key & 7 == FIXED32 else 8
        else:
            raise ValueError(f"there is no wire type {key & 7}")
        if at + size > len(data):
            raise IndexError(f"a field of {size} bytes goes beyond the end")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number has more than ten bytes")


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where a message should")
    return value
