"""A model with a fusion, and a collection of it: what an item gets, and how that is kept sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.collection.wholes.fused import (
    COLOURS,
    DIM,
    ITEMS,
    Colours,
    Words,
    ids,
    make_plain_model,
    picture,
    whole,
    word,
    write_model,
)

from duretrieval import Item, Modality, Part
from duretrieval.collection.collection import Collection
from duretrieval.collection.sources import can_be_read_again
from duretrieval.errors import ModelError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.nets.fusion.weighted_sum import WeightedSum
from duretrieval.types import Array

pytestmark = pytest.mark.slow

TEXT, IMAGE, WHOLE = Modality.TEXT, Modality.IMAGE, Modality.WHOLE


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return make_plain_model(tmp_path_factory.mktemp("models") / "plain")


# ---- the model


def test_the_model_fuses_by_its_graph(model: Model) -> None:
    words, colours = np.stack([word("bus"), word("cube")]), np.stack([word("red"), word("blue")])
    expected = [whole(w, c) for w, c in zip(words, colours, strict=True)]
    np.testing.assert_allclose(model.fuse({IMAGE: colours, TEXT: words}), expected, atol=1e-5)
    np.testing.assert_allclose(model.fuse({TEXT: words}), words, atol=1e-5)
    assert model.modalities == {TEXT, IMAGE}


def test_a_model_without_a_fusion(plain: Model) -> None:
    with pytest.raises(ModelError, match=r"'words and colours' has no fusion; take one with a \[fusion\] in its model"):
        plain.fuse({TEXT: word("bus")[None]})


def test_a_fusion_that_does_not_go_with_the_model(tmp_path: Path) -> None:
    wide = WeightedSum(["text", "image"], DIM + 1).export(tmp_path, "fusion")
    message = "has 32 dimensions and its fusion 33, but wholes and parts lie in one space; train a fusion of dim 32"
    with pytest.raises(ModelError, match=message):
        Model.load(write_model(tmp_path, fusion=wide))
    narrow = WeightedSum(["text"], DIM).export(tmp_path, "fusion")
    with pytest.raises(ModelError, match="encodes image, which its fusion of text does not take; leave it out of the"):
        Model.load(write_model(tmp_path, fusion=narrow))


def test_wholes_are_not_encoded(tmp_path: Path, model: Model) -> None:
    card = (write_model(tmp_path, fusion=None) / "model.toml").read_text()
    (tmp_path / "model.toml").write_text(card.replace('modalities = ["text"]', 'modalities = ["whole"]'))
    with pytest.raises(ModelError, match="no modality 'whole'"):
        Model.load(tmp_path)
    with pytest.raises(ModelError, match="does not know whole; it knows image, text"):
        model.encode([Part(WHOLE, None)])


# ---- in


def test_an_item_gets_one_more_part(shared: Collection) -> None:
    assert shared.stats().modalities == {"text": 9, "image": 9, "whole": 9}
    for colour, figure in ITEMS:
        item = shared.get(f"{colour}-{figure}")
        assert [part.modality for part in item.parts] == [TEXT, IMAGE, WHOLE]
        assert item.parts[2] == Part(WHOLE, None)
        vectors = shared._store.vectors([item.id])[item.id]
        np.testing.assert_allclose(vectors[2], whole(word(figure), word(colour)), atol=1e-4)
    assert shared.verify() == []


def test_several_parts_of_a_modality_count_by_their_mean(tmp_path: Path, model: Model) -> None:
    parts = (Part(TEXT, "bus"), Part(TEXT, "cube"), Part(IMAGE, picture("red")))
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add([Item("a", "a", parts), Item("b", "b", parts[:1]), Item("c", "c", ())])
        vectors = collection._store.vectors(["a", "b", "c"])
    mean = unit((word("bus") + word("cube"))[None])[0]
    np.testing.assert_allclose(vectors["a"][3], whole(mean, word("red")), atol=1e-4)
    np.testing.assert_allclose(vectors["b"][1], word("bus"), atol=1e-4)
    assert len(vectors["c"]) == 0


class Opposite(Words):
    """Texts that say the opposite of one another."""

    def encode(self, batch: tuple[Part, ...], /) -> Array:  # type: ignore[override]
        return np.stack([word("yes") * (1 if part.content == "yes" else -1) for part in batch])


def test_an_item_whose_parts_cancel_out_says_so(tmp_path: Path, model: Model) -> None:
    encoders = {TEXT: Opposite(), IMAGE: Colours()}
    fusing = Model("opposite", encoders, dim=DIM, fingerprint="opposite-1", fusion=model.fusion)
    with Collection.open(tmp_path / "c", fusing) as collection:
        report = collection.add(Item("a", "a", (Part(TEXT, "yes"), Part(TEXT, "no"))))
        assert report.problems == {"a": "the model finds nothing in the whole of it, so it cannot be found"}
        assert len(collection.get("a").parts) == 2
        assert collection.search("yes") == []


def test_removed_is_gone(tmp_path: Path, model: Model, things: Path) -> None:
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add_manifests(things, workers=1)
        assert collection.remove(["red-bus"]) == 1
        assert "red-bus" not in ids(collection.search("bus"))
        assert collection.stats().modalities["whole"] == 8
        assert collection.add_manifests(things, workers=1).indexed == 1
        assert "red-bus" in ids(collection.search("bus", k=3))


def test_files_change_move_and_are_repaired(tmp_path: Path, model: Model) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    Image.new("RGB", (20, 20), COLOURS["red"]).save(folder / "a.png")
    (folder / "b.txt").write_text("bus")
    with Collection.open(tmp_path / "c", model) as collection:
        collection.add(folder, workers=1)
        (folder / "a.png").rename(folder / "moved.png")
        report = collection.add(folder, workers=1)
        assert (report.moved, report.indexed) == (1, 0)
        [moved] = [item for item in collection.items() if item.source.endswith("moved.png")]
        assert [part.modality for part in moved.parts] == [IMAGE, WHOLE]
        (folder / "b.txt").write_text("cube cube")
        [fault] = collection.verify()
        assert fault.problem.endswith("has changed; index it again")
        assert collection.repair() == []
        assert ids(collection.search("cube", k=1)) == [fault.subject]
        assert collection.stats().modalities == {"text": 1, "image": 1, "whole": 2}


def test_what_can_be_read_again_does_not_depend_on_the_whole(tmp_path: Path) -> None:
    parts = (Part(TEXT, "bus"), Part(WHOLE, None))
    assert can_be_read_again(Item("a", "a", parts))
    assert not can_be_read_again(Item("a", "a", (Part(IMAGE, None), *parts)))
    assert not can_be_read_again(Item("a", "a", parts[1:]))


def test_migrating_to_a_fusion_and_back(tmp_path: Path, model: Model, plain: Model, things: Path) -> None:
    with Collection.open(tmp_path / "c", plain) as collection:
        collection.add_manifests(things, workers=1)
        assert collection.stats().modalities == {"text": 9, "image": 9}
        assert collection.migrate(model, workers=1).problems == {}
        assert collection.stats().modalities == {"text": 9, "image": 9, "whole": 9}
        assert collection.verify() == []
        assert ids(collection.search("blue cube", k=1)) == ["blue-cube"]
        assert collection.migrate(plain, workers=1).problems == {}
        assert collection.stats().modalities == {"text": 9, "image": 9}


def test_items_of_one_collection_go_into_another(tmp_path: Path, model: Model) -> None:
    with Collection.open(tmp_path / "a", model) as first, Collection.open(tmp_path / "b", model) as second:
        first.add(Item("x", "x", (Part(TEXT, "bus"),)))
        assert second.add(first.items()).problems == {}
        assert second.get("x").parts == first.get("x").parts == (Part(TEXT, "bus"), Part(WHOLE, None))
