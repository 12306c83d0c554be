"""Collections of vectors that were cut."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from duretrieval.builtin import FOLDER
from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import ModelMismatch
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part

WORDS = {"dog": "a dog runs on grass", "ship": "a ship on the sea", "bread": "bread and butter"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The built-in model, which says that it may be cut."""
    found = Path(shutil.copytree(FOLDER, tmp_path / "model"))
    card = (found / "model.toml").read_text(encoding="utf-8")
    (found / "model.toml").write_text(card.replace("dim = 384", "dim = 384\ndims = [64, 128]", 1), encoding="utf-8")
    return found


@pytest.fixture
def made(folder: Path, tmp_path: Path) -> Path:
    """Three texts in vectors of 64 dimensions."""
    (tmp_path / "media").mkdir()
    for name, words in WORDS.items():
        (tmp_path / "media" / f"{name}.txt").write_text(words, encoding="utf-8")
    with Collection.open(tmp_path / "c", folder, dim=64) as c:
        c.add(tmp_path / "media")
    return tmp_path / "c"


def test_it_is_opened_again_as_it_was_made(made: Path) -> None:
    with Collection.open(made) as c:
        assert (c.model.dim, c.stats().dim) == (64, 64)
        assert Path(c.search("a boat in the water")[0].item.source).stem == "ship"
        assert c.verify() == []
    with Collection.open(made, dim=64) as c:
        assert c.model.dim == 64


def test_scores_are_those_of_the_cut_vectors(made: Path, folder: Path) -> None:
    model = Model.load(folder, dim=64)
    with Collection.open(made) as c:
        hits = c.search("a boat")
    query = model.encode([Part(Modality.TEXT, "a boat")])[0]
    chance = model.background[Modality.TEXT] @ query
    for hit in hits:
        cosine = float(model.encode([Part(Modality.TEXT, WORDS[Path(hit.item.source).stem])])[0] @ query)
        assert hit.score == pytest.approx((cosine - chance.mean()) / chance.std(), abs=1e-2)


def test_the_model_by_its_place_is_cut_as_the_collection_says(made: Path, folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "elsewhere")
    with Collection.open(made, tmp_path / "elsewhere") as c:
        assert c.model.dim == 64


def test_another_length_is_another_model(made: Path, folder: Path) -> None:
    with pytest.raises(ModelMismatch, match=r"has vectors of 64 dimensions, not 128; .*migrate.* --dim 128"):
        Collection.open(made, dim=128)
    with pytest.raises(ModelMismatch, match="model cut to 64 dimensions"):
        Collection.open(made, folder, dim=128)
    with pytest.raises(ModelMismatch, match="cut to 64 dimensions"):
        Collection.open(made, "builtin")


def test_migrate_goes_to_another_length_and_back(made: Path, folder: Path) -> None:
    for dim, length in ((128, 128), (None, 384), (64, 64)):
        with Collection.open(made) as c:
            c.migrate(folder, dim=dim)
        with Collection.open(made) as c:
            assert c.model.dim == c.stats().dim == length
            assert Path(c.search("a boat in the water")[0].item.source).stem == "ship"


def test_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "dog.txt").write_text("a dog runs on grass", encoding="utf-8")
    there = str(tmp_path / "cli")
    run = CliRunner()
    said = run.invoke(app, ["index", str(tmp_path / "media"), "-c", there, "--model", str(folder), "--dim", "128"])
    assert said.exit_code == 0, said.output
    with Collection.open(there) as c:
        assert c.model.dim == 128
    assert run.invoke(app, ["migrate", "-c", there, "--model", str(folder), "--dim", "64"]).exit_code == 0
    with Collection.open(there) as c:
        assert c.model.dim == 64
        assert np.isclose(np.linalg.norm(c.model.encode([Part(Modality.TEXT, "a dog")])), 1)
