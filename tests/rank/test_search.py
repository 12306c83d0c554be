"""Ranking over a real store, against a slow and obvious reference."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.index.lance.store import LanceStore
from duretrieval.rank.nearest import search
from duretrieval.similarity import unit
from duretrieval.types import Array, Item, Modality, Part, Probe, Query

DIM = 8
RNG = np.random.default_rng(0)


def part(modality: Modality, n: int = 0) -> Part:
    return Part(modality, "words" if modality is Modality.TEXT else None, start_s=float(n), end_s=float(n + 1))


def make(tmp_path: Path, contents: dict[str, list[tuple[Modality, Array]]]) -> LanceStore:
    store = LanceStore.create(tmp_path / "store", DIM, {})
    items = [Item(id_, id_, tuple(part(m, n) for n, (m, _) in enumerate(parts))) for id_, parts in contents.items()]
    store.add(items, [np.stack([v for _, v in parts]) for parts in contents.values()], "model")
    return store


def random_contents(items: int) -> dict[str, list[tuple[Modality, Array]]]:
    out = {}
    for i in range(items):
        vectors = unit(RNG.normal(size=(int(RNG.integers(1, 6)), DIM)).astype(np.float32))
        out[f"i{i:03}"] = [(list(Modality)[int(RNG.integers(4))], v) for v in vectors]
    return out


def probe(scale: float, offset: float) -> Probe:
    return Probe(unit(RNG.normal(size=(1, DIM)).astype(np.float32))[0], scale, offset)


def test_items_rank_by_their_best_part_over_all_modalities(tmp_path: Path) -> None:
    contents = random_contents(200)
    probes = {Modality.TEXT: probe(3, 1), Modality.IMAGE: probe(1, -1), Modality.AUDIO: probe(2, 0)}
    with make(tmp_path, contents) as store:
        hits = search(store, probes, Query(k=25))
    expected = {}
    for id_, parts in contents.items():
        scores = [probes[m].scale * float(probes[m].vector @ v) - probes[m].offset for m, v in parts if m in probes]
        if scores:
            expected[id_] = max(scores)
    best = sorted(expected, key=lambda id_: (-expected[id_], id_))[:25]
    assert [hit.item.id for hit in hits] == best
    assert [hit.score for hit in hits] == pytest.approx([expected[id_] for id_ in best], abs=1e-4)


def test_an_item_appears_once_even_if_it_owns_every_near_part(tmp_path: Path) -> None:
    towards = unit(np.ones((1, DIM), np.float32))[0]
    long_film = [(Modality.VIDEO, unit(towards + 0.01 * RNG.normal(size=DIM).astype(np.float32))) for _ in range(300)]
    contents = {"film": long_film, **random_contents(30)}
    contents = {k: [(Modality.VIDEO, v) for _, v in parts] for k, parts in contents.items()}
    with make(tmp_path, contents) as store:
        hits = search(store, {Modality.VIDEO: Probe(towards, 1, 0)}, Query(k=10))
    assert len({hit.item.id for hit in hits}) == len(hits) == 10
    assert hits[0].item.id == "film"
    assert len(hits[0].evidence) == 3
    assert hits[0].evidence[0].score >= hits[0].evidence[1].score


def test_weights_mix_an_items_modalities(tmp_path: Path) -> None:
    east, north = np.eye(DIM, dtype=np.float32)[:2]
    contents = {
        "both": [(Modality.TEXT, east), (Modality.IMAGE, north)],
        "words": [(Modality.TEXT, east)],
        "picture": [(Modality.IMAGE, unit((east + north)[None])[0])],
    }
    probes = {Modality.TEXT: Probe(east, 1, 0), Modality.IMAGE: Probe(east, 1, 0)}
    with make(tmp_path, contents) as store:
        hits = search(store, probes, Query(weights={Modality.TEXT: 3.0}))
        pictures = search(store, probes, Query(weights={Modality.TEXT: 0.0}))
    assert {hit.item.id: pytest.approx(hit.score, abs=1e-5) for hit in hits} == {
        "both": 3 / 4,
        "words": 1.0,
        "picture": 1 / np.sqrt(2),
    }
    assert [hit.item.id for hit in pictures] == ["picture", "both"]  # what has only words weighs nothing


def test_what_is_like_itself_is_left_out(tmp_path: Path) -> None:
    east = np.eye(DIM, dtype=np.float32)[0]
    with make(tmp_path, {"a": [(Modality.IMAGE, east)], "b": [(Modality.IMAGE, east)]}) as store:
        hits = search(store, {Modality.IMAGE: Probe(east, 1, 0)}, Query(like=("a",)))
    assert [hit.item.id for hit in hits] == ["b"]


@pytest.mark.parametrize("step", ["search", "vectors"])
@pytest.mark.parametrize("left", [0, 1])
def test_an_item_that_is_replaced_in_the_middle_of_a_search_is_whole_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, left: int
) -> None:
    east = np.eye(DIM, dtype=np.float32)[0]
    with make(tmp_path, {"a": [(Modality.IMAGE, east)] * 2, "b": [(Modality.IMAGE, east)]}) as store:
        asked = getattr(store, step)

        def and_then_replaced(*arguments: Any, **options: Any) -> Any:
            found = asked(*arguments, **options)
            store.add([Item("a", "a", (part(Modality.IMAGE),) * left)], [np.tile(east, (left, 1))], "model")
            return found

        monkeypatch.setattr(store, step, and_then_replaced)
        hits = search(store, {Modality.IMAGE: Probe(east, 1, 0)}, Query())
    assert [hit.item.id for hit in hits] == (["a", "b"] if (step, left) == ("search", 1) else ["b"])


def test_an_empty_store_has_no_hits(tmp_path: Path) -> None:
    with LanceStore.create(tmp_path / "store", DIM, {}) as store:
        assert search(store, {Modality.IMAGE: probe(1, 0)}, Query()) == []
