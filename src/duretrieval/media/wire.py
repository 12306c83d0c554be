"""What passes between the parent and a decoding process: plain JSON and the bytes of arrays, and nothing that can run.

A decoder that a hostile file has taken over says whatever it likes. Pickle would let it run code in the parent; here it
can only say a chunk, or an error of our own tree, and all else is refused.

    8 bytes   lengths of the two pieces that follow, little-endian
    JSON      {"parts": [...], "fields": {...}, "next": [unit, char, skip]}, or {"error": class, "said": sentence}
    bytes     the arrays of the parts, one after another
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval import errors
from duretrieval.errors import DamagedMedia, LimitExceeded, MediaError
from duretrieval.media.chunk import BUDGET_BYTES, Ask, Chunk, Clip, Cursor, frame_bytes
from duretrieval.media.document import PASSAGES_PER_CHUNK
from duretrieval.media.vectors import UNSAID
from duretrieval.types import Modality, Part, Reading, Scalar

_LENGTHS = struct.Struct("<II")
_SHAPES: Mapping[Modality, tuple[str, int]] = {
    Modality.IMAGE: ("uint8", 3),
    Modality.VIDEO: ("uint8", 4),
    Modality.AUDIO: ("float32", 1),
    UNSAID: ("float32", 2),
}
"""modality -> what its arrays are made of, and their number of axes."""
_PLACES = {"start_s": float, "end_s": float, "page": int, "start_char": int, "end_char": int}
_CHAR_BYTES = 12  # a character as two escapes of JSON
_FIELD_CHARS = 10_000
"""A longer title or name is cut."""

Most = tuple[int, int]
"""The most bytes of JSON and of arrays in a message."""


class Garbled(Exception):
    """What arrived is no message. Never leaves this package: the file is then damaged."""


def most_bytes(reading: Reading) -> Most:
    """The longest honest answer: passages and fields; the arrays of a chunk, and the window that overfills it."""
    window = reading.frames_per_window * frame_bytes(reading) + int(reading.window_s * reading.sample_rate) * 4
    said = (PASSAGES_PER_CHUNK + 1) * (reading.passage_chars + 100) * _CHAR_BYTES + 2**22
    return said, 2 * (BUDGET_BYTES + window)


def send(pipe: socket.socket, head: Mapping[str, Any], arrays: Iterable[Any] = ()) -> None:
    """Write one message."""
    said, held = json.dumps(head).encode("ascii"), list(arrays)
    pipe.sendall(_LENGTHS.pack(len(said), sum(len(array) for array in held)) + said)
    for array in held:  # one by one: joining them would copy a chunk
        pipe.sendall(array)


def receive(pipe: socket.socket, most: Most, deadline: float | None = None) -> tuple[dict[str, Any], bytearray]:
    """Read one message; deadline: by `time.monotonic()`, for the whole of it.

    Raises:
        TimeoutError: the deadline has passed, be it in the middle of a message.
        EOFError, OSError: the other side is gone.
        Garbled: it is longer than `most`, or its first piece is no JSON object.
    """
    said, tail = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size, deadline))
    if said > most[0] or tail > most[1]:
        raise Garbled(f"{said + tail:,} bytes at once, more than a chunk can have")
    text, arrays = _exactly(pipe, said, deadline), _exactly(pipe, tail, deadline)
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Garbled("what is not JSON") from error
    if not isinstance(head, dict):
        raise Garbled("JSON that is no object")
    return head, arrays


def _exactly(pipe: socket.socket, size: int, deadline: float | None) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        if deadline is not None:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            pipe.settimeout(left)
        if not (got := pipe.recv_into(view[done:])):
            raise EOFError
        done += got
    return data


def send_request(pipe: socket.socket, path: Path, start: Ask) -> None:
    """Ask for a chunk, or a clip."""
    if isinstance(start, Clip):
        send(pipe, {"path": str(path), "clip": [start.modality, start.at, start.start_s, start.end_s]})
    else:
        send(pipe, {"path": str(path), "start": _cursor(start)})


def receive_request(pipe: socket.socket) -> tuple[Path, Ask]:
    """In the decoding process: wait for the next request; it comes from the parent, so it is as it should be."""
    head, _ = receive(pipe, (2**31, 0))
    if "clip" in head:
        modality, *where = head["clip"]
        return Path(head["path"]), Clip(Modality(modality), *where)
    return Path(head["path"]), Cursor(*head["start"]) if head["start"] else None


def send_chunk(pipe: socket.socket, chunk: Chunk) -> None:
    """Answer with a chunk.

    Raises:
        TypeError, ValueError: it holds what no message can say; nothing was written.
    """
    parts = [_said(part) for part in chunk.parts]
    fields = {name: _scalar(value) for name, value in chunk.fields.items()}
    contents = [part.content for part in chunk.parts if isinstance(part.content, np.ndarray)]
    arrays = [np.ascontiguousarray(content).data.cast("B") for content in contents]
    send(pipe, {"parts": parts, "fields": fields, "next": _cursor(chunk.next)}, arrays)


def send_error(pipe: socket.socket, error: BaseException) -> None:
    """Answer with an error; one that is none of ours becomes a sentence about the decoder."""
    if isinstance(error, MemoryError):
        error = LimitExceeded(
            "decoding it takes more memory than its process may have; raise `memory_bytes` to read it"
        )
    elif not isinstance(error, MediaError):
        error = DamagedMedia(f"its decoder failed: {type(error).__name__}: {error}"[:500])
    name = next(kind.__name__ for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
    send(pipe, {"error": name, "said": str(error)})


def chunk_of(head: Mapping[str, Any], arrays: bytearray) -> Chunk:
    """The chunk that a message says.

    Raises:
        MediaError: it says one.
        Garbled: it says neither a chunk nor an error of ours.
    """
    if "error" in head:
        raise _error(head)
    try:
        parts, used = [], 0
        for said in _only(head["parts"], list):
            part, size = _part(said, arrays, used)
            parts.append(part)
            used += size
        fields = {_only(name, str): _value(value) for name, value in _only(head["fields"], dict).items()}
        chunk = Chunk(tuple(parts), fields, _start(head["next"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Garbled("what is no chunk") from error
    if used != len(arrays):
        raise Garbled(f"{len(arrays):,} bytes of arrays where its parts have {used:,}")
    return chunk


def _said(part: Part) -> dict[str, Any]:
    said: dict[str, Any] = {"modality": part.modality.value}
    said |= {name: kind(value) for name, kind in _PLACES.items() if (value := getattr(part, name)) is not None}
    if isinstance(part.content, str):
        return {**said, "text": part.content}
    dtype, axes = _SHAPES[part.modality]
    content = part.content
    if not isinstance(content, np.ndarray) or content.dtype != dtype or content.ndim != axes or not content.size:
        raise TypeError(f"a part of {part.modality.value} is an array of {dtype} with {axes} axes, none of length 0")
    return {**said, "shape": content.shape}


def _part(said: Any, arrays: bytearray, at: int) -> tuple[Part, int]:
    """A part, and how many bytes of `arrays` from `at` on are its own."""
    modality = Modality(_only(said, dict)["modality"])
    places = {name: _only(said[name], kind) for name, kind in _PLACES.items() if name in said}
    if not all(math.isfinite(place) and place >= 0 for place in places.values()):
        raise ValueError("a place before the beginning or after the end of time")
    if modality is Modality.TEXT:
        return Part(modality, _only(said["text"], str), **places), 0
    dtype, axes = _SHAPES[modality]
    shape = [_only(length, int) for length in _only(said["shape"], list)]
    if len(shape) != axes or min(shape) < 1 or (axes > 2 and shape[-1] != 3):
        raise ValueError(f"a part of {modality.value} has no shape {shape}")
    content = np.frombuffer(arrays, dtype, math.prod(shape), at).reshape(shape).copy()
    return Part(modality, content, **places), content.nbytes


def _scalar(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return {"when": value.isoformat()}
    return value[:_FIELD_CHARS] if isinstance(value, str) else value


def _value(said: Any) -> Scalar:
    if isinstance(said, dict):
        return datetime.fromisoformat(said["when"])
    if isinstance(said, int) and abs(said) >= 2**63:
        raise ValueError("a number that no field can hold")
    return _only(said, str, int, float, bool)  # type: ignore[no-any-return]


def _cursor(cursor: Cursor | None) -> list[int] | None:
    return [cursor.unit, cursor.char, cursor.skip] if cursor else None


def _start(said: Any) -> Cursor | None:
    if said is None:
        return None
    unit, char, skip = (_only(number, int) for number in _only(said, list))
    if min(unit, char, skip) < 0:
        raise ValueError("a chunk before the beginning")
    return Cursor(unit, char, skip)


def _error(head: Mapping[str, Any]) -> MediaError:
    """The error of our tree that has this name; only what a file can be guilty of."""
    name, said = head["error"], head.get("said")
    kind = getattr(errors, name, None) if isinstance(name, str) else None
    known = isinstance(kind, type) and issubclass(kind, MediaError)
    if not known or not isinstance(said, str):
        raise Garbled("an error that is none of ours")
    return kind(said)  # type: ignore[misc, no-any-return]


def _only(value: Any, *kinds: type) -> Any:
    """The value, if it is exactly of one of these types: True is no int."""
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} where {' or '.join(kind.__name__ for kind in kinds)} should be")
    return value
