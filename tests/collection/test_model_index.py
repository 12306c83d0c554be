"""A model says by which index its collections are searched; who opens one may say otherwise."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.conftest import Shell, shell  # noqa: F401  (a fixture)

from duretrieval.collection.collection import Collection
from duretrieval.encode.features import Features
from duretrieval.errors import MissingExtra, ModelError, UnknownPart, Untrusted
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.exact import ExactIndex
from duretrieval.index.faiss import FaissIndex
from duretrieval.index.memory import InMemory
from duretrieval.model.model import Model
from duretrieval.types import Item, Modality, Part, Term

IMAGE = Modality.IMAGE
ROWS = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)


class Mine(ExactIndex):
    """An index by its path."""


def saying(folder: Path, index: dict[str, Any] | None) -> Path:
    """A model of vectors that says so."""
    Model("m", {IMAGE: Features(16, ["image"])}, dim=16, fingerprint="being written", index=index).save(folder)
    return folder


def filled(place: Path, model: Path, **more: Any) -> Collection:
    collection = Collection.open(place, model, **more)
    collection.add([Item(f"i{n:02}", f"/i{n}", (Part(IMAGE, row),)) for n, row in enumerate(ROWS)], workers=1)
    return collection


def held(collection: Collection) -> Any:
    """The index that a search fills."""
    assert collection.search(Term(IMAGE, ROWS[3]))[0].item.id == "i03"
    view = collection.view()
    return view.indexes[IMAGE] if isinstance(view, InMemory) else None


@pytest.mark.parametrize(
    ("index", "kind", "options"),
    [
        ({"use": "exact"}, ExactIndex, {}),
        ({"use": "faiss", "options": {"kind": "flat"}}, FaissIndex, {"_kind": "flat"}),
        ({"use": "faiss", "options": {"effort": 99}}, FaissIndex, {"_settings": (32, 40, 99)}),
        ({"use": "binary", "options": {"keep": "int8"}}, BinaryIndex, {"bits": 16}),
    ],
)
def test_it_is_searched_as_the_model_says(tmp_path: Path, index: Any, kind: type, options: dict[str, Any]) -> None:
    with filled(tmp_path / "c", saying(tmp_path / "m", index)) as collection:
        assert collection.index == index["use"]
        found = held(collection)
        assert type(found) is kind
        assert {name: getattr(found, name) for name in options} == options
        assert len(found) == len(ROWS)
    with Collection.open(tmp_path / "c", create=False) as again:
        assert type(held(again)) is kind
    with Collection.open(tmp_path / "c", index="store") as store:
        assert held(store) is None
        assert store.index is None
    with Collection.open(tmp_path / "c", index="exact") as other:
        assert type(held(other)) is ExactIndex


def test_a_model_that_says_nothing(tmp_path: Path) -> None:
    with filled(tmp_path / "c", saying(tmp_path / "m", None)) as collection:
        assert held(collection) is None


def test_it_is_a_part_of_the_fingerprint_and_is_kept(tmp_path: Path) -> None:
    plain, faiss = saying(tmp_path / "plain", None), saying(tmp_path / "faiss", {"use": "faiss"})
    opened = Model.load(faiss)
    assert opened.fingerprint != Model.load(plain).fingerprint
    opened.save(tmp_path / "again")
    assert Model.load(tmp_path / "again").index == {"use": "faiss", "options": {}}


def test_a_migration_changes_it(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", ROWS[0])
    with Collection.open(tmp_path / "c", saying(tmp_path / "m", None)) as collection:
        collection.add(tmp_path / "v.npy", workers=1)
        assert collection.index is None
        collection.migrate(saying(tmp_path / "exact", {"use": "exact"}), workers=1)
        assert collection.index == "exact"


def test_what_a_model_cannot_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = saying(tmp_path / "wrong", {"use": "exact", "options": {"links": 3}})
    with filled(tmp_path / "a", wrong) as collection, pytest.raises(ModelError, match=r"'exact': got an unexpected .*"):
        collection.search(Term(IMAGE, ROWS[0]))
    unknown = saying(tmp_path / "unknown", {"use": "fais"})
    with filled(tmp_path / "b", unknown) as collection, pytest.raises(UnknownPart, match="Did you mean 'faiss'"):
        collection.search(Term(IMAGE, ROWS[0]))
    with pytest.raises(ModelError, match=r"\[index\] names no index; it says use = 'faiss', and maybe options"):
        Model.load(saying(tmp_path / "none", {"kind": "flat"}))
    faiss = saying(tmp_path / "faiss", {"use": "faiss"})
    monkeypatch.delitem(sys.modules, "duretrieval.index.faiss")
    monkeypatch.setitem(sys.modules, "faiss", None)
    said = r"wants its collections searched by the index 'faiss', and .*duretrieval\[faiss\].*--index store"
    with filled(tmp_path / "c", faiss) as collection, pytest.raises(MissingExtra, match=said):
        collection.search(Term(IMAGE, ROWS[0]))
    with Collection.open(tmp_path / "c", index="store") as collection:
        assert held(collection) is None


def test_code_that_a_model_names_is_not_run_unasked(tmp_path: Path) -> None:
    model = saying(tmp_path / "m", {"use": f"{__name__}:Mine"})
    with filled(tmp_path / "c", model) as collection, pytest.raises(Untrusted, match="a path to Python code"):
        collection.search(Term(IMAGE, ROWS[0]))
    with Collection.open(tmp_path / "c", trust=True) as collection:
        assert type(held(collection)).__name__ == "Mine"


def test_search_says_which(shell: Shell, tmp_path: Path) -> None:  # noqa: F811
    np.save(tmp_path / "ask.npy", ROWS[3])
    filled(tmp_path / "c", saying(tmp_path / "m", {"use": "fais"})).close()
    asked = ("search", "--vector", tmp_path / "ask.npy", "-c", tmp_path / "c", "-k", "1", "--json")
    assert "no part called 'fais' among the indexes" in shell(*asked).err
    for index in ("store", "exact", "faiss", "binary"):
        assert json.loads(shell(*asked, "--index", index).out)["id"] == "i03"
    assert "no part called 'hnsw' among the indexes" in shell(*asked, "--index", "hnsw").err
