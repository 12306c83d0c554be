"""A model of shorter vectors."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.errors import ModelError
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

WORDS = [Part(Modality.TEXT, words) for words in ("a red bus", "rain on a roof", "the sea")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model, which says that it may be cut."""
    found = Path(shutil.copytree(FOLDER, tmp_path_factory.mktemp("models") / "model"))
    card = (found / "model.toml").read_text(encoding="utf-8")
    (found / "model.toml").write_text(card.replace("dim = 384", "dim = 384\ndims = [32, 128]", 1), encoding="utf-8")
    return found


def test_vectors_are_the_leading_components_made_unit(folder: Path) -> None:
    whole, cut = Model.load(folder), Model.load(folder, dim=32)
    assert (whole.dims, cut.dim, cut.dims, whole.is_cut, cut.is_cut) == ((128, 32), 32, (), False, True)
    np.testing.assert_allclose(cut.encode(WORDS), unit(whole.encode(WORDS)[:, :32]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(cut.encode(WORDS), axis=1), 1, atol=1e-5)
    assert cut.modalities == whole.modalities


def test_the_background_is_cut_as_they_are(folder: Path) -> None:
    whole, cut = Model.load(folder).background, Model.load(folder, dim=32).background
    assert cut.keys() == whole.keys() != set()
    for modality, rows in whole.items():
        np.testing.assert_allclose(cut[modality], unit(rows[:, :32]), atol=1e-6)


def test_each_length_has_a_fingerprint_of_its_own(folder: Path) -> None:
    prints = [Model.load(folder, dim=dim).fingerprint for dim in (None, 384, 128, 32, 32)]
    assert prints[0] == prints[1]
    assert prints[3] == prints[4]
    assert len(set(prints)) == 3
    assert all(len(found) == 16 for found in prints)


def test_a_model_that_is_cut_can_be_saved_and_cut_further(folder: Path, tmp_path: Path) -> None:
    cut = Model.load(folder, dim=128)
    cut.save(tmp_path / "short")
    saved = Model.load(tmp_path / "short")
    assert (saved.dim, saved.dims, saved.is_cut) == (128, (32,), False)
    np.testing.assert_allclose(saved.encode(WORDS), cut.encode(WORDS), atol=1e-6)
    np.testing.assert_allclose(saved.cut(32).encode(WORDS), Model.load(folder, dim=32).encode(WORDS), atol=1e-6)


def test_what_is_shared_stays_shared(folder: Path) -> None:
    cut = Model.load(folder, dim=32)
    pictures, films = cut.parts_for(Modality.IMAGE), cut.parts_for(Modality.VIDEO)
    assert pictures[0] is films[0]
    assert pictures[1] is films[1]


def test_a_number_that_it_does_not_say(folder: Path) -> None:
    with pytest.raises(ModelError, match="has vectors of 384, 128, 32 dimensions, not of 100; choose one of these"):
        Model.load(folder, dim=100)
    with pytest.raises(ModelError, match=r"does not say that it may be cut; train one with matryoshka = \[64\]"):
        Model.load("builtin", dim=64)


@pytest.mark.parametrize("said", ["[0]", "[384]", "[1.5]", '"64"', "[true]"])
def test_a_list_that_cannot_be(folder: Path, tmp_path: Path, said: str) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "model"))
    card = (other / "model.toml").read_text(encoding="utf-8")
    (other / "model.toml").write_text(card.replace("dims = [32, 128]", f"dims = {said}", 1), encoding="utf-8")
    with pytest.raises(ModelError, match="it lists what vectors of 384 dimensions may be cut to"):
        Model.load(other)


class Sum:
    dim, modalities = 2, (Modality.TEXT,)

    def __call__(self, vectors: Mapping[Modality, Array]) -> Array:
        return unit(sum(vectors.values(), np.zeros(2, np.float32)))


class Plane:
    dim, modalities = 2, frozenset({Modality.TEXT})

    def encode(self, batch: list[Part], /) -> Array:
        return np.ones((len(batch), 2), np.float32)


def test_what_needs_whole_vectors_is_named() -> None:
    model = Model("plane", {Modality.TEXT: Plane()}, dim=2, fingerprint="f", fusion=Sum(), dims=(1,))
    with pytest.raises(ModelError, match="model 'plane' cannot be cut: its fusion needs vectors of 2 dimensions"):
        model.cut(1)
