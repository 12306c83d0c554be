"""What can be measured without labels: against numpy, with and without an approximate index."""

from pathlib import Path

import numpy as np
import pytest

from duretrieval.collection.collection import Collection
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.health.agreement import agreements
from duretrieval.evaluation.health.health import measure_health
from duretrieval.evaluation.health.survey import survey
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.types import Array, Item, Match, Modality, Part

DIM = 16


def clustered(n: int, seed: int = 0) -> tuple[list[Item], list[Array]]:
    """Items around ten centres; `topic` says which, `price` says nothing."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, DIM))
    topic = rng.integers(0, 10, n)
    vectors = unit((centres[topic] + 0.5 * rng.normal(size=(n, DIM))).astype(np.float32))
    items = [
        Item(
            f"i{i}",
            f"/there/{i}",
            (Part(Modality.TEXT, f"words {i}"),),
            {"topic": f"t{t}", "price": int(p), "kind": "item"},
        )
        for i, (t, p) in enumerate(zip(topic, rng.permutation(n), strict=True))
    ]
    return items, [row[None] for row in vectors]


def filled(path: Path, n: int, upkeep: Upkeep | None = None) -> LanceStore:
    items, vectors = clustered(n)
    with LanceStore.create(path, DIM, {}, upkeep=upkeep) as store:
        store.add(items, vectors, "m")
        store.optimize()
    return LanceStore.open(path)


def test_comparing_everything_finds_everything(tmp_path: Path) -> None:
    store = filled(tmp_path / "s", 400)
    assert not store.indexed
    found = list(agreements(store, survey(store, 20), k=10, queries=20))
    assert {a.asked for a in found} == {"any-query", "inside", "outside"}
    assert [a.recall for a in found] == [1.0] * len(found)
    assert all(a.low < 1 for a in found)


def test_filters_are_tried_that_matter_and_that_do_not(tmp_path: Path) -> None:
    store = filled(tmp_path / "s", 400)
    found = survey(store, 25)
    where = [(trial.where, trial.asked) for trial in found.trials]
    assert where[:4] == [
        (None, "any-query"),
        ("price <= 199", "any-query"),
        ("price <= 39", "any-query"),
        ("price <= 3", "any-query"),
    ]
    assert {asked for text, asked in where if text and text.startswith("topic = 't")} == {"inside", "outside"}
    assert [round(len(trial.keeps) / 400, 3) for trial in found.trials[:4]] == [1.0, 0.5, 0.1, 0.01]
    assert found.vectors.shape == (100, DIM)
    assert len(found.texts) == 25


def test_an_index_is_measured_as_it_is(tmp_path: Path) -> None:
    store = filled(tmp_path / "s", 3000, Upkeep(ann_from=1000))
    assert store.indexed
    found = list(agreements(store, survey(store, 20), k=10, queries=20))
    assert {a.asked for a in found} == {"any-query", "inside", "outside"}
    assert all(0.8 < a.recall <= 1 for a in found)


class Careless(LanceStore):
    """Finds half of what it should, and the rest elsewhere."""

    def search(self, query: Array, k: int, /, **options: object) -> list[Match]:
        whole = super().search(query, k, exact=True, **{**options, "where": None})  # type: ignore[arg-type]
        fitting = super().search(query, k, exact=True, **options)  # type: ignore[arg-type]
        return [*fitting[: k // 2], *whole[k // 2 :]]


def test_what_a_store_gets_wrong_is_seen(tmp_path: Path) -> None:
    filled(tmp_path / "s", 400)
    store = Careless(tmp_path / "s")
    found = {(a.where, a.asked): a.recall for a in agreements(store, survey(store, 20), k=10, queries=20)}
    assert found[None, "any-query"] == 1.0
    outside = next(recall for (where, asked), recall in found.items() if asked == "outside" and "topic" in str(where))
    assert outside == pytest.approx(0.5, abs=0.1)


def test_a_whole_collection(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for i in range(15):
        (media / f"note {i}.txt").write_text(f"A note about {['cats', 'dogs', 'wine'][i % 3]}, number {i}.")
    (media / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no")
    with Collection.open(tmp_path / "c", Model.load("builtin")) as collection:
        collection.add(media)
        health = measure_health(collection, queries=12)
    assert (health.items, health.parts, health.problems, health.indexed) == (16, 15, 1, False)
    assert health.agreements[0].recall == 1.0
    words, vectors = health.latencies
    assert (words.what, words.queries, vectors.what, vectors.queries) == ("text-search", 12, "vector-search", 12)
    assert 0 < words.p50_ms <= words.p95_ms <= words.p99_ms
    assert health.as_dict()["agreements"][0]["asked"] == "any-query"


def test_an_empty_collection(tmp_path: Path) -> None:
    with (
        Collection.open(tmp_path / "c", Model.load("builtin")) as collection,
        pytest.raises(EvaluationError, match="has no parts to ask for; index something first"),
    ):
        measure_health(collection)
