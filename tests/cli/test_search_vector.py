"""`search --vector`: a vector of one's own is asked with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Shell

from duretrieval.encode.features import Features
from duretrieval.model.model import Model
from duretrieval.types import Modality


@pytest.fixture
def collection(shell: Shell, tmp_path: Path) -> Path:
    Model("f", {Modality.IMAGE: Features(3, ["image"])}, dim=3, fingerprint="being written").save(tmp_path / "model")
    rows = [{"id": name, "image_vector": row} for name, row in zip("abc", np.eye(3).tolist(), strict=True)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    place = tmp_path / "c"
    ran = shell("index", "--manifest", tmp_path / "rows.jsonl", "--model", tmp_path / "model", "-c", place)
    assert "3 indexed" in ran.out, ran.err
    np.save(tmp_path / "ask.npy", [0.0, 1.0, 0.5])
    np.save(tmp_path / "first.npy", [1.0, 0.0, 0.0])
    return place


def ids(out: str) -> list[str]:
    return [json.loads(line)["id"] for line in out.splitlines()]


def test_the_nearest_comes_first(shell: Shell, collection: Path, tmp_path: Path) -> None:
    ask, first = tmp_path / "ask.npy", tmp_path / "first.npy"
    assert ids(shell("search", "--vector", ask, "-c", collection, "--json").out) == ["b", "c", "a"]
    assert ids(shell("search", "--image", ask, "-c", collection, "--json").out) == ["b", "c", "a"]
    both = shell("search", "--vector", ask, "--vector", f"3:{first}", "-c", collection, "--json")
    assert ids(both.out) == ["a", "b", "c"]
    less = shell("search", "--vector", ask, "--vector", f"-3:{ask}", "-c", collection, "--json")
    assert ids(less.out) == ["a", "c", "b"]


def test_what_is_no_vector_is_refused(shell: Shell, collection: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words")
    np.save(tmp_path / "long.npy", np.ones(4))
    for typed, said in {
        "words.txt": "it holds no vector, but text; save one with numpy.save, as .npy",
        "none.npy": "there is no file",
        "long.npy": "it holds a vector of 4 numbers; the model takes vectors of 3 numbers for image",
    }.items():
        ran = shell("search", "--vector", tmp_path / typed, "-c", collection)
        assert ran.code != 0
        assert said in ran.err.replace("\n", " ")
