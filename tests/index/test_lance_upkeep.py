"""Disk, old versions and indexes over the life of a store."""

from datetime import timedelta

import numpy as np
import pytest

from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.testing.stores import directions, text

DIM = 16


@pytest.fixture
def store(tmp_path):
    with LanceStore.create(tmp_path / "store", DIM, {"model": "m"}) as store:
        yield store


def add(store, *items, model="m"):
    store.add(items, [directions(len(item.parts), store.dim, seed=len(item.id)) for item in items], model)


def test_disk_does_not_balloon(tmp_path):
    def size():
        return sum(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file())

    upkeep = Upkeep(keep=timedelta(0), after_commits=10)
    with LanceStore.create(tmp_path / "store", 256, {}, upkeep=upkeep) as store:
        items = [text(f"item {i}") for i in range(200)]
        rows = [directions(1, 256, seed=i) for i in range(200)]
        store.add(items, rows, "m")
        store.optimize()
        once = size()
        for _ in range(50):
            store.add(items, rows, "m")
        assert size() < 10 * once  # 51 times without upkeep
        store.optimize()
        assert size() < 1.2 * once
        assert len(list((tmp_path / "store" / "_versions").glob("*.manifest"))) == 1


def test_old_versions_stay_for_readers_in_the_middle_of_one(tmp_path):
    with LanceStore.create(tmp_path / "store", DIM, {}) as store:
        add(store, *(text(f"item {i}") for i in range(3000)))
        reading = LanceStore.open(tmp_path / "store").scan()
        seen = [next(reading)]
        store.remove([f"item {i}" for i in range(3000)])
        store.optimize()
        seen.extend(reading)
    assert len(seen) == 3000


def test_files_of_a_killed_commit_go(store, tmp_path):
    add(store, text("a"))
    left = tmp_path / "store" / "data" / "0000000000000000000000000000000000000000.lance"
    left.write_bytes(b"half a file")
    store.optimize()
    assert not left.exists()
    assert store.get(["a"]) == [text("a")]


def test_the_approximate_index_is_built_asked_and_grows(tmp_path):
    n, dim = 8000, 64
    rows = directions(n, dim)
    with LanceStore.create(tmp_path / "store", dim, {}, upkeep=Upkeep(ann_from=2000)) as store:
        segments = []
        for at in range(0, n, 1000):
            chunk = range(at, at + 1000)
            store.add([text(str(i), 1, u=i % 100) for i in chunk], [rows[i : i + 1] for i in chunk], "m")
            store.optimize()
            (ann,) = [index for index in store._data.describe_indices() if index.name == "_vector_ann"] or [None]
            segments.append(len(ann.segments) if ann else 0)
            assert ann is None or ann.num_rows_indexed == at + 1000
        assert segments == [0, 1, 2, 3, 4, 5, 6, 1]  # built again when there are four times as many
        store.add([text("late", 1, u=5)], [rows[:1]], "m")
        found = store.search(rows[0], 2)  # rows that the index has not seen yet
        assert [(match.item, round(match.similarity, 4)) for match in found] == [("0", 1.0), ("late", 1.0)]
        queries = directions(20, dim, seed=3)
        for where, fits in ((None, np.ones(n, bool)), ("u < 2", np.arange(n) % 100 < 2)):
            hits = 0
            for query in queries:
                best = np.argsort(np.where(fits, -(rows @ query), 9))[:10]
                hits += len({str(i) for i in best} & {match.item for match in store.search(query, 10, where=where)})
            assert hits >= 190, where
        store.remove([str(i) for i in range(0, n, 2)])
        assert len(store.search(queries[0], n + 5)) == n // 2 + 1
        assert not {match.item for match in store.search(queries[0], 50)} & {str(i) for i in range(0, n, 2)}
        assert store.verify() == []
