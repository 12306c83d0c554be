"""A store with its vectors in memory answers as the store does."""

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.memory import InMemory
from duretrieval.testing import StoreSuite
from duretrieval.testing.stores.made import DIM, directions, text
from duretrieval.types import Modality


@pytest.mark.parametrize("name", ["exact", "faiss", "binary"])
def test_it_finds_what_the_store_finds(tmp_path, name):
    with LanceStore.create(tmp_path / "store", 16, {}) as store:
        items = [text(f"item {i}", 1 + i % 3) for i in range(50)]
        store.add(items, [directions(len(item.parts), 16, seed=i) for i, item in enumerate(items)], "m")
        held = InMemory(store, plugins.find("indexes", name))
        for query in directions(5, 16, seed=99):
            ours, theirs = (s.search(query, 8, modality=Modality.TEXT) for s in (held, store))
            assert [(m.item, m.n) for m in ours] == [(m.item, m.n) for m in theirs]
            np.testing.assert_allclose([m.similarity for m in ours], [m.similarity for m in theirs], atol=1e-4)
        assert held.search(directions(1, 16)[0], 3, modality=Modality.IMAGE) == []


def test_a_change_of_the_store_is_seen_and_filters_are_the_stores(tmp_path):
    with LanceStore.create(tmp_path / "store", DIM, {}) as store:
        a, b = directions(2, DIM)
        store.add([text("a")], [a[None]], "m")
        held = InMemory(store, plugins.find("indexes", "exact"))
        assert [m.item for m in held.search(b, 5, modality=Modality.TEXT)] == ["a"]
        store.add([text("b")], [b[None]], "m")
        assert [m.item for m in held.search(b, 5, modality=Modality.TEXT)] == ["b", "a"]
        store.remove(["b"])
        assert [m.item for m in held.search(b, 5, modality=Modality.TEXT)] == ["a"]
        assert held.search(b, 5, modality=Modality.TEXT, where="source = 'nowhere'") == []
        assert len(held) == 1


def test_what_another_process_removes_while_it_is_filled_is_not_missed(tmp_path, monkeypatch):
    with LanceStore.create(tmp_path / "store", DIM, {}) as store:
        a, b = directions(2, DIM)
        store.add([text("a"), text("b")], [a[None], b[None]], "m")
        reader = LanceStore.open(tmp_path / "store")
        counted, vectors = reader.count_parts, reader.vectors
        monkeypatch.setattr(reader, "count_parts", lambda: (counted(), store.remove(["a"]))[0])
        monkeypatch.setattr(reader, "vectors", lambda ids: (store.remove(["a"]), vectors(ids))[1])
        held = InMemory(reader, plugins.find("indexes", "exact"))
        for _ in range(2):
            assert [m.item for m in held.search(a, 5)] == ["b"]


class TestInMemory(StoreSuite):
    def make(self, tmp_path, dim):
        return InMemory(LanceStore.create(tmp_path / "store", dim, {"model": "m"}), plugins.find("indexes", "exact"))

    def reopen(self, store, tmp_path):
        store.close()
        return InMemory(LanceStore.open(tmp_path / "store", write=True), plugins.find("indexes", "exact"))
