"""Vectors in the cells of manifests, in every format, and those that cannot be used."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duretrieval.errors import ConfigError
from duretrieval.media.manifest import Row, read_manifest
from duretrieval.media.roles import Roles
from duretrieval.types import Modality

ROWS = [
    {"id": "1", "text": "a bus", "rgb": [1.0, 2.0, 3.0]},
    {"id": "2", "text": "a cat", "rgb": [4.5, 5.0, -6.0]},
    {"id": "3", "text": "none", "rgb": None},
]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)))


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def fixed(path: Path, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows)
    kind = pa.list_(pa.float32(), 3)
    pq.write_table(table.set_column(2, "rgb", pa.array([row["rgb"] for row in rows], kind)), path)


def written(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)  # as Python writes lists


def one(path: Path, row: dict[str, Any], **columns: str) -> Row:
    jsonl(path, [row])
    (found,) = read_manifest(path, columns)
    return found


@pytest.mark.parametrize("write", [jsonl, parquet, fixed, written])
def test_every_format_holds_vectors(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    path = tmp_path / "rows"
    write(path, ROWS)
    first, second, third = read_manifest(path, {"rgb": "vector:video"})
    for row, given in ((first, ROWS[0]), (second, ROWS[1])):
        (vector,) = [content for content in row.contents if content.column == "rgb"]
        assert vector.modality is Modality.VIDEO
        assert vector.value.dtype == np.float32
        np.testing.assert_array_equal(vector.value, [given["rgb"]])
        assert row.problem is None
        assert "rgb" not in row.fields
    assert [content.column for content in third.contents] == ["text"]
    assert third.problem is None


def test_a_sequence_and_files(tmp_path: Path) -> None:
    frames = one(tmp_path / "m", {"image_vector": [[1, 2], [3, 4]]})
    np.testing.assert_array_equal(frames.contents[0].value, [[1, 2], [3, 4]])
    files = one(tmp_path / "m", {"audio_vector": ["a.npy", "b.npy"], "Text_Vector": "c.npy"})
    assert [(c.modality, c.value) for c in files.contents] == [
        (Modality.AUDIO, tmp_path / "a.npy"), (Modality.AUDIO, tmp_path / "b.npy"), (Modality.TEXT, tmp_path / "c.npy")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ([1, float("nan")], "number 2 is not finite"),
        ([float("nan")] * 2, "number 1 is not finite"),
        ([1, None], "it holds lists of different lengths, or something else than numbers"),
        ([[1, 2], [3]], "it holds lists of different lengths, or something else than numbers"),
        ([[[1]]], r"it has the shape \(1, 1, 1\)"),
        ([True, False], "it holds bool, not numbers"),
        ([[]], r"it has the shape \(1, 0\)"),
        (3.5, r"it has the shape \(\)"),
        ("[1, 2", "it holds <U5, not numbers"),
    ],
)
def test_what_is_no_vector_costs_the_cell(tmp_path: Path, cell: object, said: str) -> None:
    row = one(tmp_path / "m", {"text": "words", "v": cell}, v="vector:image")
    assert [content.column for content in row.contents] == ["text"]
    with pytest.raises(AssertionError, match=f"line 1: column 'v' holds no vector that can be used: {said}"):
        raise AssertionError(row.problem)


def test_a_list_of_numbers_says_what_it_may_be(tmp_path: Path) -> None:
    row = one(tmp_path / "m", {"text": "words", "embedding": [0.5, 1]})
    assert "if it is a vector of a picture, say --column embedding=vector:image" in str(row.problem)


@pytest.mark.parametrize("said", ["vector", "vector:smell", "vector:whole"])
def test_a_vector_is_of_something(said: str) -> None:
    with pytest.raises(ConfigError, match=r"say of what its vectors are, with one of vector:text, vector:image, .*"):
        Roles({"v": said})
