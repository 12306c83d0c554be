"""What changes in a store: items are replaced whole, and what was removed never returns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import CollectionError, ShapeError
from duretrieval.testing.stores.made import DIM, MODEL, Made, directions, text


class Changed(Made):
    """What is replaced and removed."""

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
