"""A model that holds learned weights of modalities: saved, loaded, and ranked by where the query gives none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.collection.wholes.fused import DIM, Colours, Words, picture, word, write_manifest

from duretrieval.collection.collection import Collection
from duretrieval.errors import ModelError, ShapeError
from duretrieval.fuse.weights import OnnxWeights
from duretrieval.model.card import read_card
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.nets.fusion.late_attention import LateAttention
from duretrieval.types import Array, Hit, Modality, Query, Reading, Term

TEXT, IMAGE = Modality.TEXT, Modality.IMAGE


def learned(folder: Path, modalities: Sequence[str] = ("text", "image")) -> OnnxWeights:
    """Who asks for a cube or a bus asks for captions, who asks for red or green for pictures."""
    folder.mkdir()
    late = LateAttention(list(modalities), DIM)
    figures, colours = word("cube") + word("bus"), word("red") + word("green")
    with torch.no_grad():
        late.logits.weight.copy_(torch.tensor(np.stack([figures, colours])[: len(modalities)]) * 3)
    return OnnxWeights.load(folder, **late.export(folder, "weights"))


def holding(weights: OnnxWeights | None) -> Model:
    encoders = {TEXT: Words(), IMAGE: Colours()}
    return Model("weighed", encoders, dim=DIM, fingerprint="new", reading=Reading(image_side=16), weights=weights)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("weighed")
    holding(learned(folder / "weights")).save(folder / "model")
    return Model.load(folder / "model", trust=True)


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Collection]:
    folder = tmp_path_factory.mktemp("things")
    with Collection.open(folder / "c", model) as collection:
        collection.add_manifests(write_manifest(folder / "data"), workers=1)
        yield collection


def told(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.item.id, round(hit.score, 5)) for hit in hits]


def by_hand(model: Model, direction: Array) -> dict[Modality, float]:
    assert model.weights is not None
    return dict(model.weights(unit(direction[None])[0]))


def test_they_are_saved_and_come_back(model: Model, tmp_path: Path) -> None:
    assert model.folder is not None
    assert read_card(model.folder)["weights"] == {
        "use": "onnx-weights",
        "options": {"file": "weights.onnx", "modalities": ["text", "image"]},
    }
    assert isinstance(model.weights, OnnxWeights)
    assert model.save(tmp_path / "again") == model.fingerprint
    assert by_hand(Model.load(tmp_path / "again", trust=True), word("red")) == by_hand(model, word("red"))
    assert holding(None).weights is None


TERMS: list[tuple[list[Term], Array]] = [
    ([Term(TEXT, "red cube")], unit((word("red") + word("cube"))[None])[0]),
    ([Term(TEXT, "cube"), Term(IMAGE, picture("green"), 0.25)], word("cube") + 0.25 * word("green")),
    ([Term(TEXT, "cube", 0.25), Term(IMAGE, picture("green"))], 0.25 * word("cube") + word("green")),
    (
        [Term(TEXT, "red bus"), Term(TEXT, "red", -0.75)],
        unit((word("red") + word("bus"))[None])[0] - 0.75 * word("red"),
    ),
]


@pytest.mark.parametrize("index", [None, "exact"])
@pytest.mark.parametrize(("terms", "direction"), TERMS, ids=["words", "caption", "picture", "less"])
def test_a_search_is_that_with_the_weights_given_by_hand(
    weighed: Collection, model: Model, terms: list[Term], direction: Array, index: str | None
) -> None:
    weights = by_hand(model, direction)
    assert sum(weights.values()) == pytest.approx(1)
    with Collection.open(weighed.path, model, index=index) as collection:
        hits = told(collection.search(terms, k=9))
        assert hits == told(collection.search(Query(tuple(terms), weights=weights, k=9)))
        assert hits != told(collection.search(Query(tuple(terms), weights={}, k=9)))


def test_what_the_query_says_itself_goes_first(weighed: Collection) -> None:
    both = (Term(TEXT, "cube"), Term(IMAGE, picture("green")))
    pictures = weighed.search(Query(both, weights={TEXT: 0.0, IMAGE: 1.0}, k=3))
    assert {hit.item.id.partition("-")[0] for hit in pictures} == {"green"}
    captions = weighed.search(Query(both, weights={TEXT: 1.0, IMAGE: 0.0}, k=3))
    assert {hit.item.id.partition("-")[2] for hit in captions} == {"cube"}


def test_the_query_decides_which_modality_counts(weighed: Collection) -> None:
    """One term each way: the caption's word where it weighs more, the picture's colour where that does."""
    first = weighed.search([Term(TEXT, "cube"), Term(IMAGE, picture("green"), 0.5)], k=9)
    assert {hit.item.id.partition("-")[2] for hit in first[:3]} == {"cube"}
    second = weighed.search([Term(TEXT, "cube", 0.5), Term(IMAGE, picture("green"))], k=9)
    assert {hit.item.id.partition("-")[0] for hit in second[:3]} == {"green"}
    assert first[0].item.id == second[0].item.id == "green-cube"


def test_like_an_item_and_one_modality_alone(weighed: Collection, model: Model) -> None:
    (item,) = weighed.view().get(["red-bus"])
    vectors = weighed.view().vectors([item.id])[item.id]
    weights = by_hand(model, unit(vectors).mean(axis=0))
    assert told(weighed.search(Query(like=("red-bus",)))) == told(
        weighed.search(Query(like=("red-bus",), weights=weights))
    )
    alone = weighed.search("red bus", modalities=[IMAGE], k=3)
    assert {hit.item.id.partition("-")[0] for hit in alone} == {"red"}


def test_terms_that_cancel_have_no_weights_and_the_search_says_so(weighed: Collection) -> None:
    with pytest.raises(ShapeError, match="the query vector is zero or not finite, so nothing is near it"):
        weighed.search([Term(TEXT, "cube"), Term(TEXT, "cube", -1.0)])


def test_every_modality_that_is_encoded_must_be_weighed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'weighed' encodes image, which its weights of text do not weigh; leave it"):
        holding(learned(tmp_path / "w", ["text"]))
