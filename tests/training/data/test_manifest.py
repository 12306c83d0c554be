"""Rows of tables to samples."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.media.samples import write_picture, write_video, write_wave

from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_triple(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "m.jsonl", {"id": "7", "text": "a red bus", "image": "bus.jpg", "label": "vehicle"})
    read = read_manifest(path)
    columns = {"text": Part(Modality.TEXT, "a red bus"), "image": Part(Modality.IMAGE, tmp_path / "bus.jpg")}
    assert read.samples == (Sample("7", columns, label="vehicle"),)
    assert read.problems == ()


def test_a_quintuple_with_times_key_group_and_split(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "id,text,video,audio,label,start,end,key,group,split\n"
        "1,a dog,a.mp4,a.wav,dog,2,7.5,k,anna,validation\n2,no sound,b.mp4,,cat,,,,,\n"
    )
    first, second = read_manifest(path).samples
    assert first.columns["video"] == Part(Modality.VIDEO, tmp_path / "a.mp4", start_s=2, end_s=7.5)
    assert first.columns["audio"] == Part(Modality.AUDIO, tmp_path / "a.wav", start_s=2, end_s=7.5)
    assert first.columns["text"] == Part(Modality.TEXT, "a dog")
    assert (first.label, first.key, first.group, first.split) == ("dog", "k", "anna", "val")
    assert set(second.columns) == {"text", "video"}  # a missing modality is normal
    assert (second.key, second.group, second.split) == ("", "", None)


def test_the_three_formats_read_alike(tmp_path: Path) -> None:
    rows = [{"id": str(n), "caption": f"number {n}", "image": f"{n}.png", "label": "even"} for n in range(3)]
    path = jsonl(tmp_path / "m.jsonl", *rows)
    table = tmp_path / "m.csv"
    table.write_text("\n".join(",".join(row) for row in [list(rows[0]), *(list(row.values()) for row in rows)]))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "m.parquet")
    assert len(read_manifest(path).samples) == 3
    assert read_manifest(path) == read_manifest(table) == read_manifest(tmp_path / "m.parquet")


def test_columns_by_other_names(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "m.jsonl", {"en": "a bus", "zh": "公共汽车", "photo": "bus.jpg", "text": "noise", "who": "x"}
    )
    columns = {"en": "text", "zh": "text", "photo": "image", "text": "ignore", "who": "group"}
    (sample,) = read_manifest(path, columns).samples
    assert {name: part.modality.value for name, part in sample.columns.items()} == {
        "en": "text",
        "zh": "text",
        "photo": "image",
    }
    assert sample.group == "x"
    assert sample.id == "m.jsonl#1"


def test_five_captions_of_a_picture_are_five_samples_of_one_key(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "m.jsonl", {"id": "p", "image": "p.jpg", "captions": ["one", "two", "three", "four", "five"]}
    )
    samples = read_manifest(path).samples
    assert [s.columns["captions"].content for s in samples] == ["one", "two", "three", "four", "five"]
    assert [s.id for s in samples] == ["p#1", "p#2", "p#3", "p#4", "p#5"]
    assert {s.key for s in samples} == {"p"}
    assert {s.columns["image"].content for s in samples} == {tmp_path / "p.jpg"}


def test_a_file_column_is_known_by_content(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png").rename(tmp_path / "a")
    write_wave(tmp_path / "b.wav", seconds=1).rename(tmp_path / "b")
    write_video(tmp_path / "c.mp4", seconds=1).rename(tmp_path / "c")
    (tmp_path / "d").write_text("words")
    path = jsonl(tmp_path / "m.jsonl", *({"file": name} for name in "abcd"), {"file": "e"})
    read = read_manifest(path)
    assert [s.columns["file"].modality for s in read.samples] == ["image", "audio", "video", "text"]
    assert str(read.problems[0]) == (
        f"{path}:5: column 'file' names {tmp_path / 'e'}: it cannot be opened: no such file or directory"
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{broken", "line 2 is not JSON"),
        (
            {"colour": "red"},
            r"no text; its columns are colour: say .* --column colour=text, .*data\.columns={ 'colour' = 'text' }",
        ),
        ({"text": "a", "split": "holdout"}, "'holdout', which is no split; write train, val, test"),
        ({"text": "a", "video": "v.mp4", "start": 5, "end": 5}, "it ends at 5 s, before it starts at 5 s"),
        ({"text": "a", "start": "soon"}, "its start is 'soon'; give seconds, 0 or more"),
        ({"text": "a", "label": ["x", "y"]}, "column 'label' holds 2 values; give one"),
        ({"image": "https://x.org/a.jpg"}, "column 'image' names an address"),
        ({"text": {"a": 1}}, "column 'text' holds dict, not text"),
        ({"text": ["t"] * 50, "caption": ["c"] * 50}, "make 2,500 combinations, more than 1,000"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_problem_with_its_line(tmp_path: Path, row: object, reason: str) -> None:
    path = jsonl(tmp_path / "m.jsonl", {"text": "good"}, row, {"text": "good too"})
    read = read_manifest(path)
    assert len(read.samples) == 2
    (problem,) = read.problems
    assert (problem.file, problem.line) == (path, 2)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(problem.reason)


def test_a_role_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"column 'x' cannot be 'picture'.*The roles are: id, name, text, image"):
        read_manifest(jsonl(tmp_path / "m.jsonl", {"x": "y"}), {"x": "picture"})


def test_by_name() -> None:
    assert parts.find("train.readers", "manifest") is read_manifest
