"""What a store keeps: items, parts and values, as they came; how they are looked up and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import UnknownField
from duretrieval.testing.stores.made import DIM, MODEL, Made, directions, text
from duretrieval.types import Item, Modality, Part, Scalar


class Kept(Made):
    """Items come back as they were added, and are counted."""

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
