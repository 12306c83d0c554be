"""What passes between parent and decoder: all that is honest arrives as it was, all else is refused."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import fields as fields_of
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from duretrieval.errors import DamagedMedia, DuretrievalError, EmptyMedia, LimitExceeded
from duretrieval.media import Chunk, Cursor, wire
from duretrieval.media.chunk import Clip
from duretrieval.types import Modality, Part, Reading

MOST = wire.most_bytes(Reading())


def passed(write, read):
    """What `read` makes of what `write` writes, over a real pipe."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = threading.Thread(target=write, args=(theirs,))
        writer.start()
        try:
            return read(ours)
        finally:
            writer.join()


def answered(chunk: Chunk) -> Chunk:
    return passed(
        lambda pipe: wire.send_chunk(pipe, chunk),
        lambda pipe: wire.chunk_of(*wire.receive(pipe, MOST, time.monotonic() + 20)),
    )


def same(a: Chunk, b: Chunk) -> bool:
    def plain(part: Part) -> tuple[object, ...]:
        content = part.content
        held = (content.dtype, content.shape, content.tobytes()) if isinstance(content, np.ndarray) else content
        return (held, *(getattr(part, field.name) for field in fields_of(part) if field.name != "content"))

    return [*map(plain, a.parts)] == [*map(plain, b.parts)] and a.fields == b.fields and a.next == b.next


SECONDS = st.none() | st.floats(0, 1e6)
NUMBERS = st.none() | st.integers(0, 2**40)
PICTURES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(lambda s: arrays(np.uint8, (*s, 3)))
FILMS = st.tuples(st.integers(1, 3), st.integers(1, 5)).flatmap(lambda s: arrays(np.uint8, (*s, 2, 3)))
PARTS = st.one_of(
    st.builds(Part, st.just(Modality.TEXT), st.text(), start_char=NUMBERS, end_char=NUMBERS, page=NUMBERS),
    st.builds(Part, st.just(Modality.IMAGE), PICTURES, page=NUMBERS),
    st.builds(Part, st.just(Modality.VIDEO), FILMS, start_s=SECONDS, end_s=SECONDS),
    st.builds(Part, st.just(Modality.AUDIO), arrays(np.float32, st.integers(1, 50)), start_s=SECONDS, end_s=SECONDS),
)
FIELDS = st.dictionaries(
    st.text(max_size=9),
    st.text() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC) | st.none()),
    max_size=4,
)  # fmt: skip
CURSORS = st.none() | st.builds(Cursor, *[st.integers(0, 2**50)] * 3)


@given(st.builds(Chunk, st.lists(PARTS, max_size=5).map(tuple), FIELDS, CURSORS))
def test_a_chunk_arrives_as_it_was(chunk):
    assert same(answered(chunk), chunk)


@pytest.mark.parametrize("name", ["a.txt", "文.txt", "a\udcffb", "new\nline", "half \ud83d"])
@pytest.mark.parametrize("start", [None, Cursor(3, 4, 5)])
def test_a_request_arrives_as_it_was(name, start):
    path = Path("folder", name)
    asked = passed(lambda pipe: wire.send_request(pipe, path, start), wire.receive_request)
    assert asked == (path, start)


def test_a_chunk_larger_than_any_buffer_arrives():
    chunk = Chunk((Part(Modality.AUDIO, np.arange(5_000_000, dtype=np.float32)),))
    assert same(answered(chunk), chunk)


def test_arrays_that_arrived_can_be_written_to():
    (part,) = answered(Chunk((Part(Modality.IMAGE, np.zeros((2, 2, 3), np.uint8)),))).parts
    part.content[0, 0, 0] = 9


def test_a_title_longer_than_a_page_is_cut():
    assert len(answered(Chunk((), {"title": "x" * 10**6})).fields["title"]) == 10_000


class OfAnother(EmptyMedia):
    """An error of somebody's own."""


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (EmptyMedia("it has no text"), EmptyMedia, "it has no text"),
        (OfAnother("nothing"), EmptyMedia, "nothing"),
        (MemoryError(), LimitExceeded, "more memory than its process may have; raise `memory_bytes`"),
        (ZeroDivisionError("by 0"), DamagedMedia, "its decoder failed: ZeroDivisionError: by 0"),
        (DuretrievalError("of ours, not a file's"), DamagedMedia, "its decoder failed: DuretrievalError: of ours"),
    ],
)
def test_an_error_arrives_by_its_name_in_our_tree(error, kind, said):
    with pytest.raises(kind, match=said) as caught:
        passed(lambda pipe: wire.send_error(pipe, error), lambda pipe: wire.chunk_of(*wire.receive(pipe, MOST)))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk((Part(Modality.IMAGE, np.zeros((2, 2, 3), np.float32)),)),
        Chunk((Part(Modality.AUDIO, np.zeros((2, 2), np.float32)),)),
        Chunk((Part(Modality.AUDIO, np.array([object()])),)),
        Chunk((Part(Modality.IMAGE, None),)),
        Chunk((Part(Modality.AUDIO, np.zeros(0, np.float32)),)),
        Chunk((), {"of": object()}),
    ],
)
def test_what_no_message_can_say_is_not_begun(chunk):
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises((TypeError, KeyError)):
        wire.send_chunk(theirs, chunk)
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(EOFError):
        wire.receive(ours, MOST)


TEXT = {"modality": "text", "text": "x"}
SOUND = {"modality": "audio", "shape": [2]}
PICTURE = {"modality": "image", "shape": [1, 1, 3]}


@pytest.mark.parametrize(
    ("said", "tail"),
    [
        ({}, 0),
        ({"parts": [], "fields": {}}, 0),
        ({"parts": {}, "fields": {}, "next": None}, 0),
        ({"parts": [], "fields": [], "next": None}, 0),
        ({"parts": [], "fields": {}, "next": None}, 1),
        ({"parts": [], "fields": {}, "next": [1, 2]}, 0),
        ({"parts": [], "fields": {}, "next": [-1, 0, 0]}, 0),
        ({"parts": [], "fields": {}, "next": [1.0, 0, 0]}, 0),
        ({"parts": [], "fields": {}, "next": [True, 0, 0]}, 0),
        ({"parts": [], "fields": {"x": None}, "next": None}, 0),
        ({"parts": [], "fields": {"x": [1]}, "next": None}, 0),
        ({"parts": [], "fields": {"x": 2**63}, "next": None}, 0),
        ({"parts": [], "fields": {"x": {"when": "soon"}}, "next": None}, 0),
        ({"parts": [], "fields": {"x": {"when": 3}}, "next": None}, 0),
        ({"parts": [{**TEXT, "modality": "smell"}], "fields": {}, "next": None}, 0),
        ({"parts": [{**TEXT, "modality": "whole"}], "fields": {}, "next": None}, 0),
        ({"parts": [{**TEXT, "text": ["x"]}], "fields": {}, "next": None}, 0),
        ({"parts": [{**TEXT, "page": -1}], "fields": {}, "next": None}, 0),
        ({"parts": [{**TEXT, "page": "1"}], "fields": {}, "next": None}, 0),
        ({"parts": ["x"], "fields": {}, "next": None}, 0),
        ({"parts": [SOUND], "fields": {}, "next": None}, 0),
        ({"parts": [SOUND], "fields": {}, "next": None}, 7),
        ({"parts": [SOUND], "fields": {}, "next": None}, 9),
        ({"parts": [{**SOUND, "start_s": float("nan")}], "fields": {}, "next": None}, 8),
        ({"parts": [{**SOUND, "end_s": float("inf")}], "fields": {}, "next": None}, 8),
        ({"parts": [{**SOUND, "shape": [-2]}], "fields": {}, "next": None}, 8),
        ({"parts": [{**SOUND, "shape": [2, 1]}], "fields": {}, "next": None}, 8),
        ({"parts": [{**SOUND, "shape": []}], "fields": {}, "next": None}, 4),
        ({"parts": [{**SOUND, "shape": "2"}], "fields": {}, "next": None}, 8),
        ({"parts": [{**SOUND, "shape": [2**62]}], "fields": {}, "next": None}, 8),
        ({"parts": [{**PICTURE, "shape": [2**40, 0, 3]}], "fields": {}, "next": None}, 0),
        ({"parts": [{**PICTURE, "shape": [2**63, 0, 3]}], "fields": {}, "next": None}, 0),
        ({"parts": [{**PICTURE, "shape": [1, 3, 1]}], "fields": {}, "next": None}, 3),
        ({"parts": [{**PICTURE, "shape": [2**40, 2**40, 3]}], "fields": {}, "next": None}, 3),
        ({"error": "SystemExit", "said": "x"}, 0),
        ({"error": "DuretrievalError", "said": "x"}, 0),
        ({"error": "ModelError", "said": "x"}, 0),
        ({"error": "__builtins__", "said": "x"}, 0),
        ({"error": ["EmptyMedia"], "said": "x"}, 0),
        ({"error": "EmptyMedia", "said": 3}, 0),
        ({"error": "EmptyMedia"}, 0),
    ],
)
def test_what_is_no_answer_is_refused(said, tail):
    with pytest.raises(wire.Garbled):
        wire.chunk_of(json.loads(json.dumps(said)), bytearray(tail))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
NEARLY = st.fixed_dictionaries(
    {
        "parts": st.lists(
            st.fixed_dictionaries(
                {"modality": st.sampled_from([*Modality, "x"])},
                optional={"text": JSON, "shape": JSON | st.lists(st.integers()), "start_s": JSON, "page": JSON},
            )
        )
        | JSON,
        "fields": JSON | st.dictionaries(st.text(max_size=3), JSON),
        "next": JSON | st.lists(st.integers(), min_size=3, max_size=3),
    },
    optional={"error": JSON, "said": JSON},
)


@given(st.dictionaries(st.text(), JSON) | NEARLY, st.binary(max_size=30))
def test_any_answer_is_a_chunk_an_error_of_ours_or_refused(said, tail):
    try:
        chunk = wire.chunk_of(said, bytearray(tail))
    except (wire.Garbled, DuretrievalError):
        return
    assert same(answered(chunk), chunk)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data):
    def write(pipe: socket.socket) -> None:
        pipe.sendall(data)
        pipe.shutdown(socket.SHUT_WR)

    with suppress(wire.Garbled, EOFError):
        passed(write, lambda pipe: wire.receive(pipe, (1000, 1000), time.monotonic() + 20))


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[]", b"nonsense", b"\xff\xfe", b"9" * 10_000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(wire.Garbled, match="JSON"):
        passed(
            lambda pipe: pipe.sendall(len(text).to_bytes(4, "little") + bytes(4) + text),
            lambda pipe: wire.receive(pipe, MOST),
        )


def test_a_message_that_stops_in_the_middle_is_waited_for_until_the_deadline():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((100).to_bytes(4, "little") + bytes(4) + b"{")
        with pytest.raises(TimeoutError):
            wire.receive(ours, MOST, time.monotonic() + 0.1)


@pytest.mark.parametrize(
    "asked", [Clip(Modality.VIDEO, 0.37), Clip(Modality.AUDIO, 1 / 3, 2, 7.5), Cursor(3, 4, 5), None]
)
def test_what_is_asked_for_arrives_as_it_was(asked):
    path = Path("a \udcff.mp4")
    assert passed(lambda pipe: wire.send_request(pipe, path, asked), wire.receive_request) == (path, asked)
