"""The rows beside the rows of a batch: of which split, how many, and which in which step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from duretrieval.errors import ConfigError
from duretrieval.training.data.batch import Around
from duretrieval.training.data.batches import Column, Rows
from duretrieval.training.data.opening import read_data
from duretrieval.training.data.related import Related, placed
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Data, Relations
from duretrieval.types import Modality, Part

SPLITS = {"train": "abcd", "val": "vw", "test": "tu"}
STARTS = {"train": 0, "val": 4, "test": 6}


def sample(id: str, *others: str, kind: str = "related", row: str = "") -> Sample:
    return Sample(id, {"text": Part(Modality.TEXT, id)}, related=tuple((kind, other) for other in others), row=row)


def parts(related: dict[str, str]) -> dict[str, list[Sample]]:
    """Samples called by a letter each, and what each says of others."""
    return {name: [sample(id_, *related.get(id_, "")) for id_ in ids] for name, ids in SPLITS.items()}


def beside(samples: dict[str, list[Sample]], settings: Relations | None = None) -> dict[str, set[str]]:
    """id -> the ids of its neighbours."""
    every = "".join(SPLITS.values())
    found = placed(samples, STARTS, settings or Relations())
    return {
        id_: {every[place] for those, _ in found.lists[name][i] for place in those}
        for name, ids in SPLITS.items()
        for i, id_ in enumerate(ids)
    }


class TestSplits:
    def test_training_sees_training_alone_and_nobody_sees_the_others_test(self) -> None:
        everybody = parts({"a": "bvt", "v": "bwt", "t": "cuw"})
        assert beside(everybody) == {
            "a": set("b"),
            "b": set("a"),
            "c": set(),
            "d": set(),
            "v": set("abw"),
            "w": set("v"),
            "t": set("acu"),
            "u": set("t"),
        }

    def test_what_training_does_not_see_is_said(self) -> None:
        (said,) = placed(parts({"a": "bvt", "v": "bwt", "t": "cu"}), STARTS, Relations()).problems
        assert said == (
            "5 of 8 relations are between splits; rows of training do not see them, those of val and test see the 4 "
            "that lead to rows of training"
        )

    def test_a_kind_that_only_others_have_is_not_learned(self) -> None:
        samples = parts({"a": "b"})
        samples["val"] = [sample("v", "a", kind="new"), sample("w", "a")]
        found = placed(samples, STARTS, Relations())
        assert found.kinds == ("related",)
        assert [len(those) for those in found.lists["val"]] == [0, 1]
        assert "'new'" in found.problems[0]

    def test_unknown_rows_and_rows_beside_themselves(self) -> None:
        found = placed(parts({"a": "bax", "c": "y"}), STARTS, Relations())
        assert found.problems == (
            "2 ids of relations are of no item, such as 'x', 'y'; nothing is beside them",
            "relations of an item with itself say nothing and are left out: 'a'",
        )

    def test_a_row_of_lists_is_one_neighbour(self) -> None:
        samples = {"train": [sample("a", "r"), sample("r#1", row="r"), sample("r#2", row="r")], "val": [], "test": []}
        found = placed(samples, {"train": 0, "val": 3, "test": 3}, Relations())
        assert found.lists["train"] == [[((1, 2), 0)], [((0,), 0)], [((0,), 0)]]


def rows(n: int, width: int = 4) -> Rows:
    held = np.eye(n, max(width, n), dtype=np.float32)
    return Rows({"text": Column(Modality.TEXT, np.ones(n, bool), held)}, np.arange(n), np.full(n, -1))


def related(n: int, lists: Sequence[Sequence[int]], most: int, *, drawn: bool = True, seed: int = 0) -> Rows:
    pool = rows(n)
    pool.related = Related(pool, [[((j,), 0) for j in beside] for beside in lists], most, seed, drawn=drawn)
    return pool


def seen(around: Around | None) -> list[set[int]]:
    """Of each row the places of those that are looked at, once each."""
    assert around is not None
    held = [around.batch.rows[at[there]].tolist() for at, there in zip(around.places, around.there, strict=True)]
    assert all(len(set(found)) == len(found) for found in held)
    return [set(found) for found in held]


class TestDrawing:
    def test_a_batch_brings_the_rows_of_its_neighbours(self) -> None:
        data = related(5, [[3, 4], [], [3]], 8)
        batch = data[[2, 0, 1]]
        assert seen(batch.around) == [{3}, {3, 4}, set()]
        assert batch.around is not None
        assert len(batch.around.batch.rows) == 2  # each once
        assert torch.equal(batch.around.batch.inputs["text"]["rows"], torch.eye(5)[batch.around.batch.rows])
        assert len(batch.rows) == batch.anchors == 3

    def test_at_most_so_many_and_in_the_end_everyone(self) -> None:
        data = related(12, [list(range(1, 12))], 3)
        met: set[int] = set()
        for epoch in range(30):
            data.set_epoch(epoch)
            (found,) = seen(data[[0]].around)
            assert len(found) == 3
            met |= found
        assert met == set(range(1, 12))

    def test_the_choice_follows_from_seed_epoch_and_the_rows_of_the_step(self) -> None:
        lists = [[j for j in range(20) if j != i] for i in range(20)]
        one, other = related(20, lists, 4), related(20, lists, 4)
        assert seen(one[[0, 1]].around) == seen(other[[0, 1]].around)
        assert seen(one[[0, 1]].around)[0] != seen(one[[0, 2]].around)[0]  # another step
        first = seen(one[[0, 1]].around)
        one.set_epoch(1)
        assert seen(one[[0, 1]].around) != first
        assert seen(related(20, lists, 4, seed=1)[[0, 1]].around) != first

    def test_at_a_check_they_are_the_first_each_time(self) -> None:
        data = related(12, [list(range(11, 0, -1))], 3).plain()
        for epoch in range(3):
            data.set_epoch(epoch)
            assert seen(data[[0]].around) == [{11, 10, 9}]

    def test_nobody_beside_a_whole_batch(self) -> None:
        assert related(5, [[3, 4], [], [3]], 8)[[1, 4]].around is None
        assert rows(3)[[0, 1]].around is None

    def test_mined_rows_have_neighbours_too_and_given_negatives_have_none(self) -> None:
        data = related(5, [[], [3], [4]], 8)
        data.mined = np.array([[2], [-1], [-1]])
        assert seen(data[[0, 1]].around) == [set(), {3}, {4}]
        data = Rows(data.columns, np.arange(5), np.full(5, -1), against=np.array([[4], [-1], [-1], [-1]]))
        data.related = Related(data, [[((3,), 0)]], 8, 0, drawn=True)
        assert seen(data[[0]].around) == [{3}, set()]


class TestFiles:
    def data(self, folder: Path, relations: str) -> Path:
        (folder / "rows.csv").write_text("id,query,text,related\n1,one,first,2\n2,two,second,\n3,three,third,\n")
        (folder / "relations.csv").write_text(relations)
        return folder / "rows.csv"

    def test_rows_and_the_file_both_count(self, tmp_path: Path) -> None:
        path = self.data(tmp_path, "item,other,kind\n1,3,series\n3,2,series\n")
        found = read_data(Data(relations=Relations("relations.csv")), path)
        assert [s.related for s in found.samples] == [(("related", "2"), ("series", "3")), (), (("series", "2"),)]
        assert not found.problems

    def test_what_cannot_be_used_is_a_problem(self, tmp_path: Path) -> None:
        path = self.data(tmp_path, "item,other\n1,\n7,1\n2,3\n")
        found = read_data(Data(relations=Relations("relations.csv")), path)
        assert len(found.samples) == 3
        line, strange = map(str, found.problems)
        assert "relations.csv: line 2: a relation names two items, and this one lacks `other`" in line
        assert strange.endswith("relations.csv: relations of what is no row are left out: '7'")

    def test_no_such_file(self, tmp_path: Path) -> None:
        path = self.data(tmp_path, "")
        with pytest.raises(ConfigError, match=r"none\.csv' cannot be opened: no such file"):
            read_data(Data(relations=Relations("none.csv")), path)
