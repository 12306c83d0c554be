"""The laws of an `Index`, as tests.

class TestMyIndex(IndexSuite):
    recall = 0.9
    def make(self, tmp_path, dim): return MyIndex(dim)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import ShapeError
from duretrieval.protocols import Index
from duretrieval.testing.stores.made import directions

DIM = 16


class IndexSuite:
    """Subclass it, say how an index is made, and run pytest."""

    recall = 1.0
    """Share of the true ten nearest that must be found among 2,000."""

    def make(self, tmp_path: Path, dim: int) -> Index:
        raise NotImplementedError

    def test_an_empty_index_answers_with_nothing(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        assert (len(index), index.dim) == (0, DIM)
        assert index.search(directions(2), 3) == [[], []]
        index.remove(["nobody"])
        index.add([], np.zeros((0, DIM), np.float32))
        assert index.search(np.zeros((0, DIM), np.float32), 3) == []

    def test_the_nearest_comes_first_and_scores_its_cosine(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        rows = directions(20)
        index.add([str(i) for i in range(20)], rows)
        found = index.search(rows[:5], 20)
        for i, ranked in enumerate(found):
            assert ranked[0][0] == str(i)
            scores = [score for _, score in ranked]
            assert scores == sorted(scores, reverse=True)
            for id, score in ranked:
                assert score == pytest.approx(float(rows[i] @ rows[int(id)]), abs=1e-5)

    def test_recall(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        rows, queries = directions(2000), directions(50, seed=1)
        for at in range(0, 2000, 500):
            index.add([str(i) for i in range(at, at + 500)], rows[at : at + 500])
        truth = np.argsort(-(queries @ rows.T), axis=1)[:, :10]
        found = index.search(queries, 10)
        hits = sum(len({str(i) for i in best} & {id for id, _ in got}) for best, got in zip(truth, found, strict=True))
        assert hits >= self.recall * 500

    def test_one_query_and_many_agree(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        index.add([str(i) for i in range(300)], directions(300))
        queries = directions(40, seed=1)
        for query, together in zip(queries, index.search(queries, 5), strict=True):
            assert [id for id, _ in index.search(query[None], 5)[0]] == [id for id, _ in together]

    def test_adding_again_replaces(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        rows = directions(3)
        index.add(["a", "b"], rows[:2])
        index.add(["a"], rows[2:])
        assert len(index) == 2
        assert index.search(rows[2:], 1)[0][0][0] == "a"
        assert index.search(rows[:1], 5)[0][0][1] < 0.999

    def test_of_two_alike_in_one_call_the_last_stays(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        index.add(["a", "a"], directions(2))
        assert len(index) == 1
        assert index.search(directions(2)[1:], 5)[0][0][1] == pytest.approx(1.0, abs=1e-5)

    def test_what_was_removed_never_returns(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        rows = directions(200)
        ids = [f"项{i}" for i in range(200)]
        index.add(ids, rows)
        for at in range(0, 200, 20):
            index.remove([*ids[at : at + 15], "nobody"])
            gone = {id for start in range(0, at + 1, 20) for id in ids[start : start + 15]}
            found = {id for ranked in index.search(rows[:20], 200) for id, _ in ranked}
            assert not found & gone
            assert len(index) == 200 - len(gone)
        assert {id for id, _ in index.search(rows[:1], 200)[0]} == set(ids) - gone
        index.add(ids[:1], rows[:1])
        assert index.search(rows[:1], 1)[0][0][0] == ids[0]

    def test_equals_come_by_id(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        index.add(["c", "a", "b"], np.repeat(directions(1), 3, axis=0))
        assert [id for id, _ in index.search(directions(1), 3)[0]] == ["a", "b", "c"]

    @pytest.mark.parametrize("k", [0, 1, 3, 100])
    def test_k_may_be_larger_than_the_index(self, tmp_path: Path, k: int) -> None:
        index = self.make(tmp_path, DIM)
        index.add(["a", "b", "c"], directions(3))
        assert [len(ranked) for ranked in index.search(directions(2), k)] == [min(k, 3)] * 2

    def test_other_shapes_are_refused(self, tmp_path: Path) -> None:
        index = self.make(tmp_path, DIM)
        for wrong in (directions(2, DIM + 1), directions(3), directions(1)[0], np.full((2, DIM), np.nan, np.float32)):
            with pytest.raises(ShapeError):
                index.add(["a", "b"], wrong)
        with pytest.raises(ShapeError):
            index.search(directions(1)[0], 1)
        assert len(index) == 0
