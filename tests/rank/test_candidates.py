"""How many candidates are looked at before an order is final."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from duretrieval.index.lance.store import LanceStore
from duretrieval.rank import nearest
from duretrieval.rank.nearest import search
from duretrieval.types import Array, Hit, Item, Modality, Part, Probe, Query

TEXT, IMAGE = Modality.TEXT, Modality.IMAGE
PROBES = dict.fromkeys((TEXT, IMAGE), Probe(np.array([1, 0], np.float32), 1.0, 0.0))


def at(cosine: float) -> Array:
    return np.array([cosine, (1 - cosine**2) ** 0.5], np.float32)


def store_of(tmp_path: Path, cosines: dict[str, dict[Modality, float]]) -> LanceStore:
    store = LanceStore.create(tmp_path / "store", 2, {})
    items = [
        Item(id_, id_, tuple(Part(m, "words" if m is TEXT else None) for m in own)) for id_, own in cosines.items()
    ]
    store.add(items, [np.stack([at(cosine) for cosine in own.values()]) for own in cosines.values()], "model")
    return store


@pytest.fixture
def lopsided(tmp_path: Path) -> LanceStore:
    """Fifty items near in words alone, fifty in pictures; and one middling in both, which by their mean is the best."""
    words = {f"w{i}": {TEXT: 0.9 + i / 1000, IMAGE: -0.9} for i in range(50)}
    pictures = {f"p{i}": {TEXT: -0.9, IMAGE: 0.9 + i / 1000} for i in range(50)}
    return store_of(tmp_path, {**words, **pictures, "both": {TEXT: 0.5, IMAGE: 0.5}})


def test_a_weighted_query_looks_at_more_than_it_shows(lopsided: LanceStore) -> None:
    weighed = {TEXT: 1.0, IMAGE: 1.0}
    with lopsided as store:
        assert [hit.item.id for hit in search(store, PROBES, Query(k=1))] != ["both"]
        assert [hit.item.id for hit in search(store, PROBES, Query(k=1, weights=weighed))] == ["both"]


def test_ten_times_as_many_as_it_shows(lopsided: LanceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "WEIGHTED_CANDIDATES", 1)
    with lopsided as store:
        hits = search(store, PROBES, Query(k=5, weights={TEXT: 1.0, IMAGE: 1.0}))
    assert hits[0].item.id == "both"


@pytest.mark.parametrize(("k", "given"), [(3, 200), (201, 201)])
def test_a_reranker_gets_two_hundred_or_as_many_as_are_asked_for(tmp_path: Path, k: int, given: int) -> None:
    seen: list[Sequence[Hit]] = []

    def backwards(query: Query, hits: Sequence[Hit], /) -> list[Hit]:
        seen.append(hits)
        assert query.k == k
        return list(hits)[::-1]

    with store_of(tmp_path, {f"i{i:03}": {TEXT: 0.9 - i / 1000} for i in range(210)}) as store:
        found = search(store, PROBES, Query(k=k), backwards)
    assert [len(hits) for hits in seen] == [given]
    assert [hit.item.id for hit in found] == [f"i{given - 1 - i:03}" for i in range(k)]
