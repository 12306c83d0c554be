"""TFRecord files as TensorBoard's own writer and Google's protobuf make them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from duretrieval.encode.features import Features
from duretrieval.errors import ConfigError, DamagedMedia, ShapeError
from duretrieval.testing import EncoderSuite
from duretrieval.training.data.crc32c import LANES, POLYNOMIAL, crc32c
from duretrieval.training.data.tfrecord import tf_records
from duretrieval.training.data.wire import Example, parse_example
from duretrieval.training.data.youtube8m import dequantise, read_youtube8m
from duretrieval.types import Modality, Part
from duretrieval.vectors import Given

PROTO = {
    "BytesList": [("value", 1, "bytes", True)],
    "FloatList": [("value", 1, "float", True)],
    "Int64List": [("value", 1, "int64", True)],
    "Feature": [
        ("bytes_list", 1, "BytesList", False),
        ("float_list", 2, "FloatList", False),
        ("int64_list", 3, "Int64List", False),
    ],
    "FeatureEntry": [("key", 1, "string", False), ("value", 2, "Feature", False)],
    "Features": [("feature", 1, "FeatureEntry", True)],
    "FeatureList": [("feature", 1, "Feature", True)],
    "FeatureListEntry": [("key", 1, "string", False), ("value", 2, "FeatureList", False)],
    "FeatureLists": [("feature_list", 1, "FeatureListEntry", True)],
    "SequenceExample": [("context", 1, "Features", False), ("feature_lists", 2, "FeatureLists", False)],
}
"""TensorFlow's example.proto and feature.proto; a map is on the wire what a repeated entry is."""


@cache
def messages(packed: bool) -> dict[str, Any]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"e{packed}.proto", package=f"e{packed}", syntax="proto3")
    for name, fields in PROTO.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            entry = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in PROTO:
                entry.type, entry.type_name = kinds.TYPE_MESSAGE, f".e{packed}.{kind}"
            else:
                entry.type = getattr(kinds, f"TYPE_{kind.upper()}")
                if repeated and kind in ("float", "int64"):
                    entry.options.packed = packed
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {n: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"e{packed}.{n}")) for n in PROTO}


def feature(values: Sequence[Any], packed: bool = True) -> Any:
    kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(values[0])]
    return messages(packed)["Feature"](**{kind: {"value": values}})


def example(
    context: dict[str, Sequence[Any]], lists: dict[str, Sequence[bytes]] | None = None, packed: bool = True
) -> bytes:
    """An Example, or with lists a SequenceExample, as bytes."""
    entries = [{"key": name, "value": feature(values, packed)} for name, values in context.items()]
    fields: dict[str, Any] = {"context": {"feature": entries}}
    if lists is not None:
        listed = [
            {"key": name, "value": {"feature": [feature([value], packed) for value in values]}}
            for name, values in lists.items()
        ]
        fields["feature_lists"] = {"feature_list": listed}
    return messages(packed)["SequenceExample"](**fields).SerializeToString()


def write(path: Path, *recorded: bytes) -> Path:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for one in recorded:
            writer.write(one)
        writer.flush()
    return path


def test_the_published_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


@settings(max_examples=30, deadline=None)
@given(size=st.integers(0, 4 * LANES), seed=st.integers(0, 99))
def test_the_checksum_by_its_definition(size: int, seed: int) -> None:
    data = np.random.default_rng(seed).bytes(size)
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (POLYNOMIAL if remainder & 1 else 0)
    assert crc32c(data) == remainder ^ 0xFFFFFFFF


def test_records_of_another_writer(tmp_path: Path) -> None:
    recorded = [b"", b"one", np.random.default_rng(0).bytes(5000)]
    assert list(tf_records(write(tmp_path / "r", *recorded))) == recorded


@pytest.mark.parametrize("packed", [True, False])
def test_an_example_as_protobuf_writes_it(packed: bool) -> None:
    found = parse_example(
        example({"id": [b"x", b"\xff"], "n": [3, 2**40, -1], "f": [0.5, -2.0]}, {"rgb": [b"ab", b"cd"]}, packed)
    )
    assert found.features["id"] == [b"x", b"\xff"]
    assert found.features["n"] == [3, 2**40, 2**64 - 1]  # labels are never negative
    np.testing.assert_array_equal(found.features["f"], np.array([0.5, -2.0], np.float32))
    assert found.lists["rgb"] == [[b"ab"], [b"cd"]]


def test_dequantised_by_hand() -> None:
    """0 is the middle of the lowest of 512 half steps, 255 a step of that above 2."""
    out = dequantise([bytes([0, 255]), bytes([51, 102])])
    np.testing.assert_allclose(out, [[-1.9921875, 2.0078125], [-1.1921875, -0.3921875]], atol=1e-6)
    assert out.dtype == np.float32


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "vocabulary.csv"
    path.write_text('Index,TrainVideoCount,KnowledgeGraphId,Name\n3,10,/m/1,Car\n8,5,/m/2,"Food, cooked"\n')
    return path


def test_video_level(tmp_path: Path, vocabulary: Path) -> None:
    rng = np.random.default_rng(0)
    rgb, audio = rng.normal(size=1024).astype(np.float32), rng.normal(size=128).astype(np.float32)
    record = example({"id": [b"ab12"], "labels": [3, 8], "mean_rgb": rgb.tolist(), "mean_audio": audio.tolist()})
    read = read_youtube8m(write(tmp_path / "train0093.tfrecord", record), vocabulary=vocabulary)
    (sample,) = read.samples
    assert (sample.id, sample.label, sample.split) == ("ab12", "Car", "train")
    assert sample.columns["text"].content == "Car, Food, cooked"
    assert sample.columns["video"].modality is Modality.VIDEO
    np.testing.assert_array_equal(sample.columns["video"].content, rgb[None])
    np.testing.assert_array_equal(sample.columns["audio"].content, audio[None])
    assert read.problems == ()


def test_frame_level(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rgb, audio = [rng.bytes(1024) for _ in range(10)], [rng.bytes(128) for _ in range(10)]
    record = example({"id": [b"ab12"], "labels": [8]}, {"rgb": rgb, "audio": audio})
    path = write(tmp_path / "validate0.tfrecord", record, record)
    whole, again = read_youtube8m(path).samples
    np.testing.assert_array_equal(again.columns["video"].content, whole.columns["video"].content)
    assert (whole.label, whole.split) == ("8", "val")
    assert "text" not in whole.columns
    assert whole.columns["video"].content.shape == (10, 1024)
    assert whole.columns["audio"].content.shape == (10, 128)
    by_hand = np.frombuffer(rgb[3], np.uint8) * (4 / 255) + 4 / 512 - 2
    np.testing.assert_allclose(whole.columns["video"].content[3], by_hand, atol=1e-6)
    thin = read_youtube8m(path, frames=2, most=1).samples
    assert len(thin) == 1
    np.testing.assert_array_equal(thin[0].columns["video"].content, whole.columns["video"].content[[2, 7]])


def test_a_folder_of_files(tmp_path: Path) -> None:
    for name in ("test1", "train2"):
        write(tmp_path / f"{name}.tfrecord", example({"id": [name.encode()], "mean_rgb": [1.0, 2.0]}))
    assert [(s.id, s.split) for s in read_youtube8m(tmp_path).samples] == [("test1", "test"), ("train2", "train")]


@pytest.mark.parametrize(
    ("damage", "line", "reason"),
    [
        (lambda data: data[:-3], 3, "record 3 is cut off after"),
        (lambda data: data + b"\0\0\0", 4, "record 4 is cut off after 3 bytes; fetch the file again"),
        (lambda data: data[:20] + b"\xff" + data[21:], 1, "record 1 is damaged: its checksum is another"),
        (lambda data: b"x" * 30, 1, "the length of record 1 is damaged, or this is no TFRecord file"),
    ],
)
def test_a_damaged_file_names_its_record(tmp_path: Path, damage: Any, line: int, reason: str) -> None:
    one = example({"id": [b"a"], "mean_rgb": [1.0] * 8})
    path = write(tmp_path / "a.tfrecord", one, one, one)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedMedia, match=reason):
        list(tf_records(path))
    read = read_youtube8m(path)
    assert len(read.samples) == line - 1
    assert (read.problems[0].file, read.problems[0].line) == (path, line)
    assert read.problems[0].reason.startswith(reason)


def test_a_record_of_something_else_is_a_problem_and_the_next_is_read(tmp_path: Path) -> None:
    good = example({"id": [b"a"], "mean_rgb": [1.0]})
    uneven = example({"id": [b"b"]}, {"rgb": [b"ab", b"c"]})
    path = write(tmp_path / "a.tfrecord", b"\x0f", example({"x": [1]}), uneven, good)
    read = read_youtube8m(path)
    assert [sample.id for sample in read.samples] == ["a"]
    assert [problem.line for problem in read.problems] == [1, 2, 3]
    assert read.problems[0].reason.startswith("the record is no tf.Example")
    assert read.problems[1].reason == "it has no mean_rgb, mean_audio, rgb or audio; its features are x"
    assert read.problems[2].reason == "the frames of rgb are of different lengths"


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_an_example_or_damaged(data: bytes) -> None:
    with suppress(DamagedMedia):
        assert isinstance(parse_example(data), Example)


def test_what_is_not_there(tmp_path: Path, vocabulary: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no \.tfrecord file"):
        read_youtube8m(tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    path = write(tmp_path / "a.tfrecord", b"")
    with pytest.raises(ConfigError, match="is not a vocabulary of YouTube-8M; it has no columns Index and Name"):
        read_youtube8m(path, vocabulary=table)


class TestFeatures(EncoderSuite):
    def make(self) -> Features:
        return Features(6, ["video", "audio"])

    def parts(self) -> list[Part]:
        rng = np.random.default_rng(0)
        kinds = [Modality.VIDEO, Modality.AUDIO, Modality.VIDEO]
        return [
            Part(kind, rng.normal(size=(t, 6)).astype(np.float32)) for kind, t in zip(kinds, (1, 5, 300), strict=True)
        ]

    def test_by_hand(self) -> None:
        part = Part(Modality.VIDEO, np.array([[6, 0], [0, 8]], np.float32))
        np.testing.assert_allclose(Features(2).encode([part]), [[0.6, 0.8]], atol=1e-6)

    def test_exported_and_loaded(self, tmp_path: Path) -> None:
        made = Features(6, ["video", "audio"], name="rgb", origin="inception")
        options = made.save(tmp_path, "films")
        assert options == {"dim": 6, "modalities": ["audio", "video"], "name": "rgb", "origin": "inception"}
        loaded = Features.load(tmp_path, **options)
        assert loaded.takes == made.takes == Given(6, "rgb", "inception")
        np.testing.assert_array_equal(loaded.encode(self.parts()), self.make().encode(self.parts()))

    @pytest.mark.parametrize("content", [np.ones(5), np.ones((0, 6)), np.ones((2, 5)), "words"])
    def test_other_content(self, content: Any) -> None:
        with pytest.raises(ShapeError, match="expected a vector of 6 numbers for a part of video; "):
            self.make().encode([Part(Modality.VIDEO, content)])
