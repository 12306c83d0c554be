"""Vectors in the place of media: indexed from tables, files and Python, asked with, refused where they do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.collection.collection import Collection
from duretrieval.collection.vectors import placed
from duretrieval.encode.features import Features
from duretrieval.errors import MediaError, QueryError, UnsupportedMedia
from duretrieval.media.chunk import Chunk
from duretrieval.media.vectors import KIND, UNSAID
from duretrieval.model.model import Model
from duretrieval.types import Item, Modality, Part, Query, Term
from duretrieval.vectors import Given

VIDEO, AUDIO, IMAGE = Modality.VIDEO, Modality.AUDIO, Modality.IMAGE
AXES = np.eye(4, dtype=np.float32)
TAKES = {VIDEO: Given(4, "rgb", "net a"), AUDIO: Given(4), IMAGE: Given(3)}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Films come as 4 numbers of the net a; saved, and opened again."""
    made = Model("films", {VIDEO: Features(4, origin="net a")}, dim=4, fingerprint="being written")
    made.save(tmp_path / "model")
    return Model.load(tmp_path / "model")


def best(collection: Collection, asked: Any, **more: Any) -> list[str]:
    return [hit.item.id for hit in collection.search(asked, **more)]


def test_rows_of_a_table_are_found_by_a_vector(model: Model, tmp_path: Path) -> None:
    np.save(tmp_path / "c.npy", AXES[2] * 7)
    rows = [
        {"id": "a", "video_vector": AXES[0].tolist(), "year": 1},
        {"id": "b", "video_vector": [[0, 3, 0, 0], [0, 1, 0, 0]], "year": 2},
        {"id": "c", "video_vector": "c.npy", "year": 3},
        {"id": "short", "video_vector": [1, 2, 3]},
        {"id": "gone", "video_vector": "gone.npy"},
        {"id": "nan", "video_vector": [1, 2, float("nan"), 4]},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    np.save(tmp_path / "ask.npy", AXES[1] + 0.1 * AXES[2])
    with Collection.open(tmp_path / "c", model) as collection:
        report = collection.add_manifests(tmp_path / "rows.jsonl", workers=1)
        assert (report.indexed, report.failed, report.parts) == (6, 3, 3)
        said = {Path(source).name.partition("#")[2]: reason for source, reason in report.problems.items()}
        assert "expected a vector of 4 numbers for a part of video; got 3 numbers" in said["short"]
        assert "gone.npy: it cannot be opened: no such file" in said["gone"]
        assert "column 'video_vector' holds no vector that can be used: number 3 is not finite" in said["nan"]
        assert best(collection, tmp_path / "ask.npy") == ["b", "c", "a"]
        assert best(collection, tmp_path / "ask.npy", where="year > 2") == ["c"]
        assert best(collection, Term(VIDEO, AXES[2]))[0] == "c"
        assert best(collection, Query(like=("a",)), k=9)[0] in ("b", "c")
        assert collection.add_manifests(tmp_path / "rows.jsonl", workers=1).unchanged == 6
        rows[0]["video_vector"] = AXES[3].tolist()
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert collection.add_manifests(tmp_path / "rows.jsonl", workers=1).indexed == 1
        assert best(collection, Term(VIDEO, AXES[3]))[0] == "a"


def test_files_in_a_folder_and_items_of_python(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    np.save(folder / "one.npy", AXES[0])
    np.savez(folder / "two.npz", frames=AXES[1:2], origin="net a")
    np.savez(folder / "other.npz", frames=AXES[1:2], origin="net b")
    np.save(folder / "long.npy", np.ones(5))
    with Collection.open(tmp_path / "c", model) as collection:
        report = collection.add(folder, workers=1)
        said = {Path(source).name: reason for source, reason in report.problems.items()}
        assert said.keys() == {"other.npz", "long.npy"}
        assert said["other.npz"].startswith("its vector was made by 'net b', and the model takes those of 'net a'")
        assert said["long.npy"] == (
            "it holds a vector of 5 numbers; the model takes vectors of 4 numbers for video"
        )  # fmt: skip
        collection.add(
            [Item("mine", "/mine", (Part(VIDEO, AXES[2]),)), Item("two", "/2", (Part(VIDEO, folder / "one.npy"),))]
        )
        (hit, *_) = collection.search(Term(VIDEO, AXES[1]))
        assert hit.item.fields["name"] == "two.npz"
        assert hit.item.fields["kind"] == "video"
        assert hit.evidence[0].similarity == pytest.approx(1, abs=1e-5)
        assert best(collection, Term(VIDEO, AXES[2]))[0] == "mine"
        with pytest.raises(MediaError, match=r"long.npy: it holds a vector of 5 numbers; the model takes vectors of 4"):
            collection.search(folder / "long.npy")
        with pytest.raises(QueryError, match="a term is empty or blank"):
            collection.search(Term(VIDEO, np.zeros((0, 4))))


def test_media_are_no_vectors_and_vectors_no_media(model: Model, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", AXES[0])
    with Collection.open(tmp_path / "plain") as plain:
        report = plain.add(tmp_path / "v.npy", workers=1)
        assert list(report.problems.values()) == ["it holds a vector of 4 numbers; the model takes no vectors"]
    with Collection.open(tmp_path / "c", model) as collection:
        frames = np.zeros((2, 8, 8, 3), np.uint8)
        report = collection.add(Item("film", "/film", (Part(VIDEO, frames),)))
        assert "expected a vector of 4 numbers for a part of video" in next(iter(report.problems.values()))


def test_a_migration_says_what_it_cannot_read_again(model: Model, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    np.save(tmp_path / "v.npy", AXES[1])
    rows.write_text('{"id": "a", "video_vector": [1, 0, 0, 0]}\n{"id": "b", "video_vector": "v.npy"}')
    other = Model("other", {VIDEO: Features(4), AUDIO: Features(4)}, dim=4, fingerprint="being written")
    other.save(tmp_path / "other")
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add_manifests(rows, workers=1)
        collection.migrate(tmp_path / "other", workers=1)
        assert f"its vectors lie in {rows}#a, which is not read again here" in str(collection.get("a").problem)
        assert [part.modality for part in collection.get("b").parts] == [VIDEO]  # not a sound, which fits as well


@pytest.mark.parametrize(
    ("dim", "wanted", "takes", "said"),
    [
        (4, None, TAKES, "it holds a vector of 4 numbers; the model takes such for video and audio, so say of which"),
        (5, None, TAKES, r"the model takes vectors of 4 numbers \(rgb\) for video, 4 numbers for audio, 3 numbers for"),
        (4, IMAGE, TAKES, "it holds a vector of 4 numbers, for image; the model takes"),
        (4, Modality.TEXT, TAKES, "it holds a vector of 4 numbers, for text; the model takes"),
        (4, None, {}, "the model takes no vectors"),
        (4, None, None, "say of what it is, by the column it stands in"),
    ],
)
def test_a_vector_that_has_no_place(
    dim: int, wanted: Modality | None, takes: dict[Modality, Given] | None, said: str
) -> None:
    chunk = Chunk((Part(UNSAID, np.ones((1, dim), np.float32)),), {"kind": KIND})
    with pytest.raises(UnsupportedMedia, match=said):
        placed(chunk, wanted, None if takes is None else lambda: takes)


def test_a_vector_in_its_place() -> None:
    chunk = Chunk((Part(UNSAID, np.ones((2, 3), np.float32)),), {"kind": KIND, "origin": "net b"})
    for wanted, takes in ((None, lambda: TAKES), (IMAGE, lambda: TAKES), (IMAGE, None)):
        found = placed(chunk, wanted, takes)
        assert found.parts[0].modality is IMAGE
        assert found.fields == {"kind": "image", "origin": "net b"}
    text = Chunk((Part(Modality.TEXT, "words"),), {"kind": "text"})
    assert placed(text, IMAGE, lambda: TAKES) is text
