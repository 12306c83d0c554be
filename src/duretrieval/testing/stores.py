"""The laws of a `Store`, as tests.

class TestMyStore(StoreSuite):
    def make(self, tmp_path, dim): return MyStore.create(tmp_path / "store", dim)
    def reopen(self, store, tmp_path): store.close(); return MyStore.open(tmp_path / "store")
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from duretrieval.errors import CollectionError, QueryError, ShapeError, UnknownField
from duretrieval.protocols import Store
from duretrieval.similarity import unit
from duretrieval.types import Array, Item, Modality, Part, Scalar

DIM = 16
WIDE = 64
MODEL = "fingerprint"


def directions(n: int, dim: int = DIM, seed: int = 0) -> Array:
    """Random unit rows (n, dim)."""
    return unit(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


def text(id: str, n: int = 1, **fields: Scalar) -> Item:
    """An item of n text parts."""
    parts = tuple(Part(Modality.TEXT, f"{id} says {i}", page=i + 1) for i in range(n))
    return Item(id=id, source=f"/files/{id}", parts=parts, fields=fields, stamp=f"stamp {id}", digest=f"digest {id}")


class StoreSuite:
    """Subclass it, say how a store is made and opened again, and run pytest."""

    def make(self, tmp_path: Path, dim: int) -> Store:
        raise NotImplementedError

    def reopen(self, store: Store, tmp_path: Path) -> Store:
        """Close `store` and open what it left, for reading and writing."""
        raise NotImplementedError

    # What is kept

    def test_an_empty_store_answers_with_nothing(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        assert (len(store), store.dim) == (0, DIM)
        assert store.search(directions(1)[0], 5) == []
        assert (list(store.scan()), store.get(["a"]), store.vectors(["a"]), store.remove(["a"])) == ([], [], {}, 0)
        store.add([], [], MODEL)
        assert len(store) == 0

    def test_what_was_added_survives_reopening(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        items = [text("a", 3, width=5), text("b")]
        vectors = [directions(3), directions(1, seed=1)]
        store.add(items, vectors, MODEL)
        store = self.reopen(store, tmp_path)
        assert store.get(["a", "b"]) == items
        assert sorted(store.scan(), key=lambda item: item.id) == items
        kept = store.vectors(["b", "a"])
        np.testing.assert_array_equal(kept["a"], vectors[0])
        np.testing.assert_array_equal(kept["b"], vectors[1])

    def test_every_place_in_an_item_comes_back(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        parts = (
            Part(Modality.VIDEO, None, start_s=0.5, end_s=5.25, file="a.mp4"),
            Part(Modality.AUDIO, None, start_s=0.0, end_s=5.0),
            Part(Modality.TEXT, "it's\n“text” 文字 \U0001f600", page=3, start_char=10, end_char=25),
            Part(Modality.IMAGE, None),
        )
        item = Item("film", "/files/film", parts, {"名": "影"}, "1", "2", "one frame is missing")
        store.add([item], [directions(4)], MODEL)
        assert self.reopen(store, tmp_path).get(["film"]) == [item]

    def test_content_that_is_not_text_is_not_kept(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        part = Part(Modality.IMAGE, np.zeros((4, 4, 3), np.uint8), page=1)
        store.add([Item("a", "a", (part,))], [directions(1)], MODEL)
        assert store.get(["a"])[0].parts == (Part(Modality.IMAGE, None, page=1),)

    def test_get_keeps_the_order_asked_and_leaves_out_the_unknown(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text(id) for id in "abc"], [directions(1)] * 3, MODEL)
        assert [item.id for item in store.get(["c", "nobody", "a"])] == ["c", "a"]

    def test_ids_may_hold_any_character(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        ids = ["it's", 'say "x"', "图/猫.jpg", "a\\b", "a/0", "a", "", "new\nline", "%_", "--", "\U0001f600"]
        store.add([text(id, 2) for id in ids], [directions(2, seed=i) for i in range(len(ids))], MODEL)
        assert [item.id for item in store.get(ids)] == ids
        assert store.remove(["it's", "a/0", "图/猫.jpg"]) == 3
        assert sorted(item.id for item in store.scan()) == sorted(set(ids) - {"it's", "a/0", "图/猫.jpg"})

    def test_field_values_come_back_with_their_types(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        east = timezone(timedelta(hours=8))
        values: dict[str, Scalar] = {
            "name": "猫",
            "empty": "",
            "bytes": 2**62,
            "below": -3,
            "price": 1.5,
            "good": True,
            "bad": False,
            "taken": datetime(2024, 5, 1, 6, 30, 15, 123456, UTC),
            "before": datetime(1931, 1, 1, tzinfo=UTC),
        }
        store.add([text("a", 1, **values, there=datetime(2024, 5, 1, 20, tzinfo=east))], [directions(1)], MODEL)
        fields = dict(self.reopen(store, tmp_path).get(["a"])[0].fields)
        assert fields.pop("there") == datetime(2024, 5, 1, 12, tzinfo=UTC)
        assert fields == values
        assert {name: type(value) for name, value in fields.items()} == {n: type(v) for n, v in values.items()}

    def test_fields_of_some_items_only_are_absent_from_the_others(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 1, width=5)], [directions(1)], MODEL)
        store.add([text("b", 1, camera="x")], [directions(1)], MODEL)
        assert [dict(item.fields) for item in store.get(["a", "b"])] == [{"width": 5}, {"camera": "x"}]
        assert {"width", "camera"} <= set(store.fields())
        assert [item.id for item in store.scan("camera IS NULL")] == ["a"]

    def test_an_item_without_parts_is_kept_and_never_found_by_search(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        broken = Item("bad", "/files/bad", problem="it's truncated", stamp="7", fields={"bytes": 3})
        store.add([broken, text("good")], [np.zeros((0, DIM), np.float32), directions(1)], MODEL)
        assert store.get(["bad"]) == [broken]
        assert len(store) == 2
        assert store.vectors(["bad"])["bad"].shape == (0, DIM)
        assert [match.item for match in store.search(directions(1)[0], 5)] == ["good"]
        assert list(store.scan("problem IS NOT NULL")) == [broken]
        store.add([text("bad", 2)], [directions(2)], MODEL)
        assert store.get(["bad"]) == [text("bad", 2)]

    # What is replaced and removed

    def test_adding_again_replaces_the_item_whole(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 3, width=5), text("b")], [directions(3), directions(1)], MODEL)
        store.add([text("a", 1, camera="x")], [directions(1, seed=9)], MODEL)
        store = self.reopen(store, tmp_path)
        assert store.get(["a", "b"]) == [text("a", 1, camera="x"), text("b")]
        assert len(store) == 2
        assert len(store.search(directions(1)[0], 10)) == 2
        np.testing.assert_array_equal(store.vectors(["a"])["a"], directions(1, seed=9))

    def test_a_batch_that_cannot_be_kept_changes_nothing(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a")], [directions(1)], MODEL)
        nan = np.full((1, DIM), np.nan, np.float32)
        for wrong in (directions(2), directions(1, DIM + 1), nan):
            with pytest.raises(ShapeError, match="'b'"):
                store.add([text("a", 1, width=1), text("b")], [directions(1), wrong], MODEL)
        with pytest.raises(ShapeError, match="1 items and vectors for 2"):
            store.add([text("b")], [directions(1)] * 2, MODEL)
        assert list(store.scan()) == [text("a")]

    def test_what_was_removed_never_returns(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 2), text("b")], [directions(2), directions(1, seed=1)], MODEL)
        assert store.remove(["a", "nobody", "a"]) == 1
        store = self.reopen(store, tmp_path)
        assert (len(store), store.get(["a"]), store.vectors(["a"])) == (1, [], {})
        assert {match.item for match in store.search(directions(2)[0], 10)} == {"b"}
        assert store.remove(["a"]) == 0

    def test_every_change_is_a_newer_version(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        versions = [store.version]
        store.add([text("a")], [directions(1)], MODEL)
        versions.append(store.version)
        store.remove(["a"])
        versions.append(store.version)
        assert versions == sorted(set(versions))

    def test_optimizing_changes_no_answer(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        for i in range(5):
            store.add([text(str(i), 2, width=i)], [directions(2, seed=i)], MODEL)
        store.remove(["3"])
        before = sorted(store.scan(), key=lambda item: item.id), store.search(directions(1)[0], 20)
        store.optimize()
        store = self.reopen(store, tmp_path)
        assert (sorted(store.scan(), key=lambda item: item.id), store.search(directions(1)[0], 20)) == before
        assert store.verify(MODEL) == []

    def test_vectors_of_another_model_are_faults(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a")], [directions(1)], MODEL)
        store.add([text("b")], [directions(1)], "another")
        assert [fault.subject for fault in store.verify(MODEL)] == ["b"]

    def test_a_store_that_is_closed_takes_nothing_more(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a")], [directions(1)], MODEL)
        store.close()
        for change in (lambda: store.add([text("b")], [directions(1)], MODEL), lambda: store.remove(["a"])):
            with pytest.raises(CollectionError):
                change()
        assert list(store.scan()) == [text("a")]

    # What is looked up and counted

    def test_items_are_looked_up_by_source_content_and_the_beginning_of_an_id(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        items = [text("ab"), text("ac"), replace(text("b"), digest=text("ab").digest)]
        store.add(items, [directions(1)] * 3, MODEL)
        assert store.lookup([items[0].source, "/nowhere"]) == {items[0].source: ("ab", items[0].stamp)}
        found = store.copies([items[0].digest, "none"])
        assert {digest: {id_ for id_, _ in held} for digest, held in found.items()} == {items[0].digest: {"ab", "b"}}
        assert (store.beginning("a"), store.beginning("c")) == (["ab", "ac"], [])
        assert store.beginning("%") == []

    def test_items_parts_and_values_are_counted(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        mixed = Item("m", "m", (Part(Modality.TEXT, "x", page=1), Part(Modality.IMAGE, None)), {"kind": "page"})
        store.add(
            [mixed, text("a", 2, kind="note"), text("b", 1, kind="note")], [directions(n) for n in (2, 2, 1)], MODEL
        )
        assert (store.count(), store.count("kind = 'note'"), store.count("modality = 'image'")) == (3, 2, 1)
        assert store.count_parts() == {"text": 4, "image": 1}
        assert store.tally("kind") == {"note": 2, "page": 1}
        with pytest.raises(UnknownField):
            store.tally("kidn")

    def test_all_vectors_are_given_out_by_block(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        vectors = directions(5)
        store.add([text("a", 3, width=1), text("b", 2, width=2)], [vectors[:3], vectors[3:]], MODEL)
        found = {key: row for keys, rows in store.parts() for key, row in zip(keys, rows, strict=True)}
        assert found.keys() == {("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)}
        np.testing.assert_array_equal(found["b", 1], vectors[4])
        assert {key for keys, _ in store.parts(where="width = 2") for key in keys} == {("b", 0), ("b", 1)}
        assert [keys for keys, _ in store.parts(modality=Modality.AUDIO) if keys] == []

    # What is found

    def test_the_nearest_part_comes_first_and_scores_its_cosine(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        vectors = directions(6)
        store.add([text("a", 3), text("b", 3)], [vectors[:3], vectors[3:]], MODEL)
        found = store.search(3 * vectors[4], 6)
        assert (found[0].item, found[0].n) == ("b", 1)
        expected = np.sort(vectors @ vectors[4])[::-1]
        np.testing.assert_allclose([match.similarity for match in found], expected, atol=1e-5)

    def test_equal_parts_come_by_id(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        same = directions(1)
        ids = ["c", "a", "d", "b"]
        store.add([text(id, 2) for id in ids], [np.repeat(same, 2, axis=0)] * 4, MODEL)
        found = [(match.item, match.n) for match in store.search(same[0], 8)]
        assert found == [(id, n) for id in "abcd" for n in (0, 1)]

    @pytest.mark.parametrize("k", [0, 1, 3, 100])
    def test_k_may_be_larger_than_the_store(self, tmp_path: Path, k: int) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 3)], [directions(3)], MODEL)
        assert len(store.search(directions(1)[0], k)) == min(k, 3)

    @pytest.mark.parametrize("exact", [False, True])
    def test_recall_under_filters(self, tmp_path: Path, exact: bool) -> None:
        """Against numpy: no filter, wide, narrow, and correlated, which keeps only what is far from the queries."""
        store = self.make(tmp_path, WIDE)
        n, k = 2000, 10
        vectors, pole = directions(n, WIDE), directions(1, WIDE, seed=5)[0]
        queries = unit(pole + 0.5 * directions(20, WIDE, seed=6))
        u, height = np.random.default_rng(1).random(n), vectors @ pole
        items = [text(str(i), 1, u=float(u[i]), height=float(height[i])) for i in range(n)]
        for at in range(0, n, 500):
            store.add(items[at : at + 500], [row[None] for row in vectors[at : at + 500]], MODEL)
        filters: dict[str | None, npt.NDArray[np.bool_]] = {
            None: np.ones(n, bool),
            "u < 0.5": u < 0.5,
            "u < 0.02": u < 0.02,
            "height < 0": height < 0,
            "height < 0 AND u < 0.1": (height < 0) & (u < 0.1),
        }
        for where, fits in filters.items():
            found = 0
            for query in queries:
                best = np.argsort(np.where(fits, -(vectors @ query), np.inf))[:k]
                matches = store.search(query, k, where=where, exact=exact)
                assert len(matches) == k
                found += len({str(i) for i in best} & {match.item for match in matches})
            assert found >= (1.0 if exact else 0.95) * k * len(queries), where

    def test_only_the_modality_asked_for_is_found(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        parts = tuple(Part(modality, None) for modality in Modality)
        items = [Item(str(i), str(i), parts) for i in range(3)]
        store.add(items, [directions(len(parts), seed=i) for i in range(3)], MODEL)
        for n, modality in enumerate(Modality):
            found = store.search(directions(1)[0], 50, modality=modality)
            assert {(match.item, match.n) for match in found} == {(str(i), n) for i in range(3)}
        narrowed = store.search(directions(1)[0], 50, modality=Modality.AUDIO, where="source = '1'")
        assert [match.item for match in narrowed] == ["1"]

    def test_a_query_of_another_shape_is_refused(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a")], [directions(1)], MODEL)
        for wrong in (directions(1), directions(1, DIM - 1)[0], np.zeros(DIM, np.float32), np.full(DIM, np.inf)):
            with pytest.raises(ShapeError, match="the query"):
                store.search(wrong, 1)

    # What filters say

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ("width > 10", "bc"),
            ("width > 10 AND kind = 'jpg'", "b"),
            ("width BETWEEN 5 AND 20", "ab"),
            ("width > 19.5", "bc"),
            ("NOT kind IN ('jpg', 'gif')", "c"),
            ("kind LIKE 'j%'", "b"),
            ("类型 = '图'", "ab"),
            ("`my field` IS NOT NULL", "c"),
            ("taken >= '2024-05-01'", "bc"),
            ("taken < '2024-05-01T00:00:00+00:00' OR width = 30", "ac"),
            ("taken BETWEEN '2024-05' AND '2025'", "b"),
            ("good", "a"),
            ("owner = 'O''Neill'", "b"),
            ("source = '/files/c'", "c"),
            ("page = 2", "c"),
            ("modality = 'image'", ""),
        ],
    )
    def test_filters(self, tmp_path: Path, where: str, found: str) -> None:
        store = self.make(tmp_path, DIM)
        items = [
            text("a", 1, width=5, kind="gif", 类型="图", taken=datetime(2024, 4, 30, 23, tzinfo=UTC), good=True),
            text("b", 1, width=20, kind="jpg", 类型="图", taken=datetime(2024, 5, 2, tzinfo=UTC), owner="O'Neill"),
            text("c", 2, width=30, kind="mp3", taken=datetime(2025, 5, 2, tzinfo=UTC), **{"my field": "x"}),
        ]
        store.add(items, [directions(len(item.parts)) for item in items], MODEL)
        assert {match.item for match in store.search(directions(1)[0], 10, where=where)} == set(found)
        assert list(store.scan(where)) == [item for item in items if item.id in found]

    def test_a_filter_that_cannot_be_read_is_an_error_of_the_query(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 1, width=5)], [directions(1)], MODEL)
        with pytest.raises(UnknownField, match="Did you mean 'width'"):
            store.search(directions(1)[0], 1, where="widht > 3")
        for where in ("", "width >", "width", "width > 'x'", "(width > 3", "width > 1) OR (width < 1", "width > 1; x"):
            with pytest.raises(QueryError):
                list(store.scan(where))
