"""Where a question is about one thing in a picture only attention to regions answers: recipe E, with and without it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.regions import COLOURS, SHAPES, picture, regions

from duretrieval import Modality, Term
from duretrieval.collection.collection import Collection
from duretrieval.training.recipe.ready import FOLDER
from duretrieval.training.recipe.toml import read_recipe
from duretrieval.training.runs.folder import Outcome
from duretrieval.training.runs.run import train

PICTURES = 600
CHANGES = (
    "data.near_duplicates=false",
    'data.columns={ query = "text" }',
    'data.positives=["key"]',
    "dim=64",
    "fusion.drop=0.0",
    "fit={ epochs = 30, batch = 32, lr = 3e-3, patience = 0 }",
)
POOLED = ("encoders.text=builtin-text-words", "encoders.image=builtin-image-features")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("regions")


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    return regions(folder / "media", PICTURES)


def trained(name: str, data: Path, folder: Path, *changes: str) -> Outcome:
    recipe = read_recipe(FOLDER / "e-attention.toml", [*CHANGES, *changes])
    return train(recipe, data, folder / name, cache=folder / "features")


@pytest.fixture(scope="module")
def attention(data: Path, folder: Path) -> Outcome:
    return trained("attention", data, folder)


def told(outcome: Outcome) -> float:
    """How often the first colour is the right one, of six."""
    return outcome.test["text+image→query/hit@1"]


@pytest.mark.slow
def test_attention_tells_which_thing_has_the_colour(attention: Outcome) -> None:
    assert told(attention) > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("changes", [("fusion.score=uniform",), POOLED], ids=["the mean instead", "one vector"])
def test_without_it_the_four_colours_of_a_picture_are_all_the_same(
    changes: tuple[str, ...], data: Path, folder: Path, attention: Outcome
) -> None:
    """Who knows the four colours and not whose they are is right a time in four."""
    without = trained(changes[0].replace("/", "-"), data, folder, *changes)
    assert told(without) < 0.5
    assert told(attention) - told(without) > 0.3


@pytest.mark.slow
def test_the_search_answers_as_well(attention: Outcome, tmp_path: Path) -> None:
    """New pictures, indexed with the exported model; then a picture and the name of a shape as one question."""
    rng = np.random.default_rng(7)
    rows, right = [], []
    for number in range(12):
        shapes, colours = rng.permutation(SHAPES), rng.choice(list(COLOURS), 4, replace=False)
        picture(shapes, colours).save(tmp_path / f"{number}.png")
        rows.append({"id": f"{colours[0]} {number}", "image": f"{number}.png", "text": str(shapes[0])})
        right.append((shapes, colours))
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Collection.open(tmp_path / "items", attention.model) as collection:
        collection.add_manifests(tmp_path / "items.jsonl", workers=1)
        asked = sorted({row["id"].split()[0] for row in rows})
        first = [str(collection.search(colour, k=1)[0].item.id).split()[0] for colour in asked]
        assert np.mean([a == b for a, b in zip(first, asked, strict=True)]) > 0.75
    with Collection.open(tmp_path / "colours", attention.model) as collection:
        manifest = tmp_path / "colours.jsonl"
        manifest.write_text("".join(json.dumps({"id": colour, "text": colour}) + "\n" for colour in COLOURS))
        collection.add_manifests(manifest, workers=1)
        found = []
        for number, (shapes, colours) in enumerate(right):
            for shape, colour in zip(shapes, colours, strict=True):
                terms = [Term(Modality.TEXT, str(shape)), Term(Modality.IMAGE, tmp_path / f"{number}.png")]
                found.append(collection.search(terms, k=1)[0].item.id == str(colour))
        assert np.mean(found) > 0.7
