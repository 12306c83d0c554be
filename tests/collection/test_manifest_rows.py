"""Rows of manifests in a collection: who they are, what becomes of them, and what their files may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.media.samples import write_animation, write_picture, write_video, write_wave

from duretrieval import Item, Modality, Part
from duretrieval.collection.collection import Collection
from duretrieval.collection.sources import Rows
from duretrieval.errors import ConfigError
from duretrieval.media.manifest import nameless
from duretrieval.model.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load("builtin")


@pytest.fixture
def collection(tmp_path: Path, model: Model) -> Collection:
    return Collection.open(tmp_path / "collection", model)


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def held(collection: Collection) -> dict[str, list[object]]:
    """id -> its texts"""
    return {item.id: [part.content for part in item.parts] for item in collection.items()}


def test_a_row_without_an_id_never_meets_a_row_with_one(tmp_path: Path, collection: Collection) -> None:
    path = tmp_path / "m.csv"
    rows = [f"a{n},crane {n}" for n in range(1497)]
    path.write_text("\n".join(["id,text", "1500,red tulips", *rows, "b,one, too many"]) + "\n")
    report = collection.add_manifests(path, workers=1)
    assert (report.indexed, report.failed) == (1499, 1)
    assert [part.content for part in collection.get("1500").parts] == ["red tulips"]
    (bad,) = collection.problems()
    assert (bad.id, bad.fields["name"]) == (nameless(path, 1500), "m.csv line 1500")
    assert bad.problem == "line 1500 has 3 columns, the first line names 2; quote its commas"
    assert collection.add_manifests(path, workers=1).unchanged == 1499


def test_two_manifests_of_rows_without_ids(tmp_path: Path, collection: Collection) -> None:
    (tmp_path / "b").mkdir()
    paths = [jsonl(tmp_path / "m", {"text": "red tulips"}), jsonl(tmp_path / "b" / "m", {"text": "white roses"})]
    collection.add_manifests(paths, workers=1)
    assert sorted(map(str, held(collection).values())) == ["['red tulips']", "['white roses']"]


def test_of_two_rows_with_one_id_the_first_stays_and_the_other_is_listed(
    tmp_path: Path, collection: Collection
) -> None:
    paths = [
        jsonl(tmp_path / "a", {"id": "1", "text": "red tulips"}, {"id": "1", "text": "white roses"}),
        jsonl(tmp_path / "b", {"id": "1", "text": "a crane"}),
    ]
    report = collection.add_manifests(paths, workers=1)
    assert (report.indexed, report.failed) == (3, 2)
    assert held(collection)["1"] == ["red tulips"]
    assert {item.problem for item in collection.problems()} == {
        "line 2: its id '1' is that of line 1; give it another, or none",
        "line 1: its id '1' is that of line 1 of a; give it another, or none",
    }


def test_an_id_of_another_manifest_is_taken_over_and_told_of(tmp_path: Path, collection: Collection) -> None:
    shoes = jsonl(tmp_path / "shoes", {"id": "1", "text": "a red shoe"}, {"id": "2", "text": "a blue shoe"})
    hats = jsonl(tmp_path / "hats", {"id": "1", "text": "a straw hat"})
    collection.add_manifests(shoes, workers=1)
    report = collection.add_manifests(hats, workers=1)
    said = f"its id '1' was that of {shoes}#1, whose place it took; give one of them another id"
    assert report.problems == {f"{hats}#1": said}
    assert held(collection) == {"1": ["a straw hat"], "2": ["a blue shoe"]}
    shoes.rename(tmp_path / "boots")  # a manifest by another name is the same
    assert collection.add_manifests(tmp_path / "boots", columns={"id": "id"}, workers=1).problems == {
        f"{tmp_path / 'boots'}#1": said.replace(f"{shoes}#1", f"{hats}#1")
    }


def test_a_bad_cell_costs_the_cell_and_the_item_is_found(tmp_path: Path, collection: Collection) -> None:
    path = jsonl(
        tmp_path / "m",
        {"id": "a", "text": "a purring cat", "price": 1, "size": {"w": 1}},
        {"id": "b", "text": "a steam train", "price": "dear", "colour": "red", "image": "https://x.org/a.jpg"},
        {"id": "c", "price": 2},
    )
    report = collection.add_manifests(path, workers=1)
    assert (report.indexed, report.failed) == (3, 1)
    assert collection.search("cat", where="price = 1")[0].item.id == "a"
    train = collection.search("train", where="colour = 'red'")[0].item  # a price of another type costs the price
    assert train.id == "b"
    assert "column 'image' names an address" in str(train.problem)
    assert "field 'price' holds integers here; item 'b' brings text 'dear'" in str(train.problem)
    assert report.problems[train.source] == train.problem


def test_captions_in_a_list_are_texts_of_one_item(tmp_path: Path, collection: Collection) -> None:
    collection.add_manifests(jsonl(tmp_path / "m", {"id": "1", "captions": ["a red bus", "rain"]}), workers=1)
    assert held(collection) == {"1": ["a red bus", "rain"]}


def test_the_right_call_takes_the_place_of_the_wrong_one(tmp_path: Path, collection: Collection) -> None:
    path = tmp_path / "m.csv"
    path.write_text("货号,标题\n" + "".join(f"h{n},花 {n}\n" for n in range(4)), encoding="utf-8")
    assert collection.add_manifests(path, workers=1).failed == 4
    found = collection.add_manifests(path, columns={"标题": "text"}, workers=1)
    assert (found.indexed, found.failed, found.removed) == (4, 0, 0)  # the same lines, now of use
    found = collection.add_manifests(path, columns={"标题": "text", "货号": "id"}, workers=1)
    assert (found.indexed, found.removed) == (4, 4)  # what had no id is called by one
    assert sorted(held(collection)) == ["h0", "h1", "h2", "h3"]
    path.write_text("货号,标题\nh0,花 0\nh1,花,1\nh2,花 2\n", encoding="utf-8")
    found = collection.add_manifests(path, columns={"标题": "text", "货号": "id"}, workers=1)
    assert (found.failed, found.removed, len(collection)) == (1, 0, 5)  # a row that is gone goes with prune only
    path.write_text("货号,标题\nh0,花 0\nh2,花 2\n", encoding="utf-8")
    found = collection.add_manifests(path, columns={"标题": "text", "货号": "id"}, workers=1)
    assert (found.removed, sorted(held(collection))) == (1, ["h0", "h1", "h2", "h3"])
    assert collection.add_manifests(path, columns={"标题": "text", "货号": "id"}, prune=True, workers=1).removed == 2


def test_other_items_stay_when_failed_rows_go(tmp_path: Path, collection: Collection) -> None:
    tmp_path = tmp_path / "it's 100% `here`"
    tmp_path.mkdir()
    jsonl(tmp_path / "m", {"id": "x", "price": 1})
    other = jsonl(tmp_path / "m2", {"id": "y", "price": 1})
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    collection.add([tmp_path / "broken.png"], workers=1)
    collection.add_manifests([tmp_path / "m", other], workers=1)
    jsonl(tmp_path / "m", {"id": "z", "text": "a crane"})
    assert collection.add_manifests(tmp_path / "m", workers=1).removed == 1
    assert {Path(item.source).name for item in collection.items()} == {"m#z", "m2#y", "broken.png"}


def test_rows_that_an_earlier_version_called_by_their_line(tmp_path: Path, collection: Collection) -> None:
    """They were items "1", "2", ... of the same stamps: they keep their vectors, and nothing is there twice."""
    path = jsonl(tmp_path / "m", {"text": "red tulips"}, {"id": "1", "text": "a crane"}, {"text": "white roses"})
    old = [
        Item(str(n), f"{path}#{n}", (Part(Modality.TEXT, "kept"),), stamp=entry.stamp)
        for n, entry in enumerate(Rows([path]), 1)
    ]
    collection.add([old[0], old[2]], workers=1)
    report = collection.add_manifests(path, workers=1)
    assert held(collection) == {nameless(path, 1): ["kept"], "1": ["a crane"], nameless(path, 3): ["kept"]}
    assert (report.indexed, report.removed) == (3, 1)


def test_a_column_of_pictures_takes_pictures(tmp_path: Path, collection: Collection) -> None:
    write_picture(tmp_path / "p.png")
    write_animation(tmp_path / "moving.gif")
    write_wave(tmp_path / "s.wav", seconds=2)
    write_video(tmp_path / "f.mp4", seconds=2)
    path = jsonl(
        tmp_path / "m",
        {"id": "picture", "image": ["p.png", "s.wav"]},
        {"id": "moving", "image": "moving.gif"},
        {"id": "film", "video": "f.mp4"},
        {"id": "both", "video": "f.mp4", "audio": "f.mp4"},
        {"id": "sound of it", "audio": "f.mp4"},
        {"id": "no film", "video": "s.wav"},
        {"id": "anything", "file": ["p.png", "s.wav", "f.mp4"]},
    )
    collection.add_manifests(path, workers=1)
    kinds = {item.id: {part.modality.value for part in item.parts} for item in collection.items()}
    assert kinds == {
        "picture": {"image"},
        "moving": {"video"},
        "film": {"video", "audio"},
        "both": {"video", "audio"},
        "sound of it": {"audio"},
        "no film": set(),
        "anything": {"image", "video", "audio"},
    }
    assert len(collection.get("both").parts) == len(collection.get("film").parts)
    collection.migrate("builtin", workers=1)
    assert {item.id: {part.modality.value for part in item.parts} for item in collection.items()} == kinds
    assert {item.id: item.problem for item in collection.problems()} == {
        "picture": "s.wav: it is a sound; the column holds a picture",
        "no film": "s.wav: it is a sound; the column holds a film",
    }


def test_a_misspelt_column_changes_nothing(tmp_path: Path, collection: Collection) -> None:
    path = jsonl(tmp_path / "m", {"id": "1", "words": "red tulips"})
    with pytest.raises(ConfigError, match=r"has no column 'wods'\. Did you mean 'words'\? Its columns are: id, words"):
        collection.add_manifests(path, columns={"wods": "text"}, workers=1)
    assert len(collection) == 0
