"""The front door, with the built-in model and real files."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from duretrieval import Item, Modality, Part, Query, Term
from duretrieval.collection.collection import Collection
from duretrieval.errors import CollectionLocked, MediaError, ModelMismatch, NotACollection, QueryError, UnknownField
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.types import Array


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load("builtin")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Six pictures, three texts and a file that only pretends to be a picture."""
    folder = tmp_path / "media"
    folder.mkdir()
    for i in range(6):
        draw(folder / f"picture{i}.png", i)
    (folder / "dogs.txt").write_text("A dog is a loyal animal that barks at strangers.")
    (folder / "wine.md").write_text("# Wine\n\nThe grapes are pressed and the juice is left to ferment.")
    (folder / "狗.txt").write_text("狗是人类的好朋友。", encoding="gb18030")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    return folder


def draw(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (320, 240), tuple(rng.integers(0, 255, 3).tolist()))
    for _ in range(5):
        x, y = rng.integers(0, 200, 2).tolist()
        ImageDraw.Draw(picture).ellipse((x, y, x + 80, y + 60), fill=tuple(rng.integers(0, 255, 3).tolist()))
    picture.save(path)


def open_(tmp_path: Path, model: Model) -> Collection:
    return Collection.open(tmp_path / "collection", model)


def sources(collection: Collection) -> dict[str, Item]:
    return {Path(item.source).name: item for item in collection.items()}


def test_everything_is_indexed_and_a_bad_file_is_listed(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        report = collection.add(media)
        assert (report.indexed, len(collection)) == (10, 10)
        [(source, problem)] = report.problems.items()
        assert source == str(media / "broken.jpg")
        assert problem
        assert [item.source for item in collection.problems()] == [source]
        stats = collection.stats()
        assert stats.kinds == {"image": 6, "text": 3}
        assert (stats.problems, stats.modalities) == (1, {"image": 6, "text": 3})
        assert collection.verify() == []


def test_no_item_gets_the_vector_of_another(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        for name, item in sources(collection).items():
            if item.problem is None:
                expected = model.encode(list(decode(media / name, model.reading, Limits()).parts))
                np.testing.assert_allclose(collection._store.vectors([item.id])[item.id], expected, atol=1e-4)


def test_a_second_run_does_nothing(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        version = collection.stats().version
        report = collection.add(media)
        assert (report.indexed, report.unchanged, report.parts) == (0, 10, 0)
        assert collection.stats().version == version


def test_a_changed_file_is_indexed_again_under_its_id(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        before = sources(collection)["dogs.txt"]
        (media / "dogs.txt").write_text("Cats sleep. " * 200)
        report = collection.add(media)
        assert (report.indexed, report.unchanged) == (1, 9)
        after = sources(collection)["dogs.txt"]
        assert after.id == before.id
        assert len(after.parts) > len(before.parts)
        (media / "dogs.txt").write_text("Cats sleep.")
        collection.add(media)
        assert len(sources(collection)["dogs.txt"].parts) == 1
        assert collection.verify() == []


def test_a_moved_file_keeps_id_and_vectors(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        before = sources(collection)["picture3.png"]
        (media / "deeper").mkdir()
        (media / "picture3.png").rename(media / "deeper" / "renamed.png")
        report = collection.add(media)
        assert (report.moved, report.indexed, report.unchanged, len(collection)) == (1, 0, 9, 10)
        after = collection.get(before.id)
        assert after.source == str(media / "deeper" / "renamed.png")
        assert after.fields["name"] == "renamed.png"
        draw(media / "picture3.png", 77)  # another picture at the old place is another item
        assert collection.add(media).indexed == 1
        assert len(collection) == 11
        assert collection.get(before.id) == after


def test_a_copy_is_an_item_of_its_own(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        shutil.copy(media / "picture1.png", media / "copy.png")
        report = collection.add(media)
        assert (report.indexed, report.moved, len(collection)) == (1, 0, 11)
        hits = collection.search(media / "picture1.png", modalities=[Modality.IMAGE], k=2)
        assert {Path(hit.item.source).name for hit in hits} == {"picture1.png", "copy.png"}
        assert hits[0].score == pytest.approx(hits[1].score, abs=1e-4)


def test_what_is_gone_is_removed_only_when_asked(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        (media / "wine.md").unlink()
        assert collection.add(media).removed == 0
        assert [fault.problem for fault in collection.verify()] == [
            f"{media / 'wine.md'} is gone; `duretrieval index --prune` removes what is gone"
        ]
        assert collection.add(media, prune=True).removed == 1
        assert len(collection) == 9


def test_a_bad_file_is_tried_again_when_it_changes(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        assert collection.add(media).indexed == 0
        assert collection.add(media, retry=True).indexed == 1
        draw(media / "broken.jpg", 9)
        assert collection.add(media).indexed == 1
        assert list(collection.problems()) == []


def test_a_missing_path_is_named(tmp_path: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection, pytest.raises(MediaError, match="nowhere"):
        collection.add(tmp_path / "nowhere")


def test_a_manifest_row_is_one_item_of_several_modalities(tmp_path: Path, media: Path, model: Model) -> None:
    rows = [
        {
            "id": "sku-1",
            "title": "A red bicycle",
            "image": ["picture0.png", "picture1.png"],
            "price": 250,
            "颜色": "红",
        },
        {"id": "sku-2", "title": "A bottle of wine", "image": "broken.jpg", "price": 12.5, "颜色": "绿"},
        {"id": "sku-3", "price": 1},
    ]
    manifest = media / "products.jsonl"
    manifest.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    with open_(tmp_path, model) as collection:
        report = collection.add_manifests(manifest)
        assert report.indexed == 3
        bicycle = collection.get("sku-1")
        assert [part.modality.value for part in bicycle.parts] == ["text", "image", "image"]
        assert bicycle.parts[1].file == str(media / "picture0.png")
        assert (bicycle.fields["price"], bicycle.fields["颜色"]) == (250, "红")
        assert bicycle.fields["name"] == "A red bicycle"
        wine = collection.get("sku-2")  # its picture is broken, its words are found all the same
        assert wine.problem is not None
        assert wine.problem.startswith("broken.jpg: ")
        assert collection.search("wine", where="price < 100")[0].item.id == "sku-2"
        assert "the row names no file and holds no text" in str(collection.get("sku-3").problem)
        assert [hit.item.id for hit in collection.search("wine", where="`颜色` = '红'")] == ["sku-1"]
        assert collection.add_manifests(manifest).unchanged == 3
        manifest.write_text(json.dumps(rows[0]))
        assert collection.add_manifests(manifest, prune=True).removed == 2


def test_a_name_that_is_no_unicode(tmp_path: Path, media: Path, model: Model) -> None:
    odd = os.fsdecode(os.fsencode(media) + b"/caf\xe9.txt")
    Path(odd).write_text("A cup of coffee, please.")
    with open_(tmp_path, model) as collection:
        assert collection.add(media).indexed == 11
        assert collection.add(media).unchanged == 11
        assert collection.search("coffee", modalities=[Modality.TEXT])[0].item.fields["name"] == "caf\\udce9.txt"


def test_what_the_model_finds_nothing_in_is_a_problem(tmp_path: Path) -> None:
    class Blind:
        dim = 4
        modalities = frozenset({Modality.TEXT})

        def encode(self, batch: Sequence[Part], /) -> Array:
            return np.array([[1, 0, 0, 0] if part.content == "seen" else [0] * 4 for part in batch], np.float32)

    model = Model("blind", {Modality.TEXT: Blind()}, dim=4, fingerprint="blind-1")
    items = [Item(word, "memory", (Part(Modality.TEXT, word),)) for word in ("seen", "unseen")]
    with open_(tmp_path, model) as collection:
        report = collection.add(items)
        assert report.problems == {"memory": "the model finds nothing in its text"}
        assert [hit.item.id for hit in collection.search("seen")] == ["seen"]


def test_items_made_in_python(tmp_path: Path, media: Path, model: Model) -> None:
    item = Item("note", "memory", (Part(Modality.TEXT, "a dog barks"), Part(Modality.IMAGE, media / "picture2.png")))
    odd = Item(
        "odd", "memory", (Part(Modality.IMAGE, np.zeros((3, 3, 3), np.uint8)), Part(Modality.TEXT, "still here"))
    )
    with open_(tmp_path, model) as collection:
        collection.add([item, odd])
        assert len(collection.get("note").parts) == 2
        assert [part.modality.value for part in collection.get("odd").parts] == ["text"]
        assert "(3, 3, 3)" in str(collection.get("odd").problem)


def test_a_field_of_another_type_costs_one_item_its_fields(tmp_path: Path, model: Model) -> None:
    items = [
        Item(f"i{n}", "memory", (Part(Modality.TEXT, f"text {n}"),), {"price": price})
        for n, price in enumerate([1, 2, "cheap", 4])
    ]
    with open_(tmp_path, model) as collection:
        collection.add(items)
        assert [collection.get(f"i{n}").fields.get("price") for n in range(4)] == [1, 2, None, 4]
        assert "field 'price' holds integers here; item 'i2' brings text 'cheap'" in str(collection.get("i2").problem)


def test_search_by_every_means(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        assert collection.search("dogs barking", modalities=[Modality.TEXT])[0].item.fields["name"] == "dogs.txt"
        assert collection.search("葡萄酒", modalities=[Modality.TEXT])[0].item.fields["name"] == "wine.md"
        names = [hit.item.fields["name"] for hit in collection.search("a dog", modalities=[Modality.TEXT], k=2)]
        assert set(names) == {"dogs.txt", "狗.txt"}
        assert collection.search(media / "picture4.png")[0].item.fields["name"] == "picture4.png"
        less = [Term(Modality.TEXT, "an animal"), Term(Modality.TEXT, "a dog", -1.0)]
        ranked = [hit.item.fields["name"] for hit in collection.search(less, modalities=[Modality.TEXT])]
        assert ranked[0] == "wine.md"
        only = collection.search("anything", where="ext = 'png' AND width >= 320")
        assert {hit.item.fields["ext"] for hit in only} == {"png"}
        assert len(only) == 6
        like = collection.search(Query(like=(only[0].item.id,)))
        assert only[0].item.id not in [hit.item.id for hit in like]


def test_a_query_that_cannot_be_answered_says_why(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        with pytest.raises(UnknownField, match="Did you mean 'width'"):
            collection.search("a dog", where="widht > 3")
        with pytest.raises(QueryError, match="holds text, no image"):
            collection.search(Term(Modality.IMAGE, media / "dogs.txt"))
        with pytest.raises(QueryError, match="asks for nothing"):
            collection.search([])
        with pytest.raises(QueryError, match="no item with the id 'zzz'"):
            collection.get("zzz")
        with pytest.raises(QueryError, match="nothing can be like"):
            collection.search(Query(like=("zzz",)))


def test_an_id_may_be_shortened(tmp_path: Path, model: Model) -> None:
    items = [Item(id_, "memory", (Part(Modality.TEXT, "words"),)) for id_ in ("abc1", "abc2", "xyz")]
    with open_(tmp_path, model) as collection:
        collection.add(items)
        assert collection.get("x").id == "xyz"
        with pytest.raises(QueryError, match="2 ids begin with 'abc': abc1, abc2"):
            collection.get("abc")


def test_another_model_is_refused_and_migrated_to(tmp_path: Path, media: Path, model: Model) -> None:
    assert model.folder is not None
    other = tmp_path / "other"
    shutil.copytree(model.folder, other)
    card = (other / "model.toml").read_text(encoding="utf-8")
    (other / "model.toml").write_text(card.replace('name = "builtin"', 'name = "other"'), encoding="utf-8")
    with open_(tmp_path, model) as collection:
        collection.add(media)
        found = [hit.item.id for hit in collection.search("a dog")]
    with pytest.raises(ModelMismatch, match=r"made with model builtin .* duretrieval migrate .* --model .*other"):
        Collection.open(tmp_path / "collection", other)
    with Collection.open(tmp_path / "collection", any_model=True) as collection:
        report = collection.migrate(other)
        assert report.indexed == 10
        assert [hit.item.id for hit in collection.search("a dog")] == found
    with pytest.raises(ModelMismatch):
        Collection.open(tmp_path / "collection", "builtin")
    with Collection.open(tmp_path / "collection") as collection:  # its own model is known by the collection
        assert collection.model.name == "other"
        assert collection.verify() == []


def test_repair_encodes_again_what_has_a_fault(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        item = sources(collection)["picture5.png"]
        with collection._handle.writing() as store:
            store.add([item], [np.eye(1, model.dim, dtype=np.float32)], "another model")
        assert [fault.subject for fault in collection.verify()] == [item.id]
        assert collection.repair() == []
        hit = collection.search(media / "picture5.png", k=1)[0]
        assert hit.item.id == item.id


def test_repair_leaves_what_it_cannot_read_again(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media)
        item = sources(collection)["picture2.png"]
        before = collection._store.vectors([item.id])[item.id]
        (media / "picture2.png").unlink()  # a drive that is not mounted looks the same
        assert [fault.subject for fault in collection.repair()] == [item.id]
        assert collection.get(item.id) == item
        np.testing.assert_array_equal(collection._store.vectors([item.id])[item.id], before)


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotACollection, match=r"there is no collection at .*nothing"):
        Collection.open(tmp_path / "nothing", create=False)


def test_two_writers_are_kept_apart(tmp_path: Path, media: Path, model: Model) -> None:
    with open_(tmp_path, model) as collection:
        collection.add(media / "dogs.txt")
        with collection._handle.writing(), pytest.raises(CollectionLocked, match="another process is writing"):
            collection.add(media)
        assert collection.search("a dog")  # reading goes on
        assert collection.add(media).indexed == 9


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_without_permission_is_a_problem(tmp_path: Path, media: Path, model: Model) -> None:
    (media / "dogs.txt").chmod(0)
    with open_(tmp_path, model) as collection:
        collection.add(media)
        assert "cannot be opened" in str(sources(collection)["dogs.txt"].problem)
