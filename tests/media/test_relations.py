"""Relations between items: tables of them, columns of rows, and who is beside whom."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duretrieval.errors import ConfigError
from duretrieval.media.manifest import Row, read_manifest
from duretrieval.media.relations import (
    BACK,
    Neighbours,
    Relation,
    kinds_of,
    of_field,
    read_relations,
    written,
)

WANTED = (Relation("7", "8", "series"), Relation("7", "9"))


def table(folder: Path, text: str, name: str = "relations.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class TestTables:
    @pytest.mark.parametrize(
        "heading", ["item,other,kind", "from,to,type", "Source;Target;Relation", "id\trelated\tkind"]
    )
    def test_csv_under_any_of_its_names(self, tmp_path: Path, heading: str) -> None:
        mark = next(mark for mark in ",;\t" if mark in heading)
        rows = [["7", "8", "series"], ["7", "9", ""]]
        path = table(tmp_path, "\n".join([heading, *(mark.join(row) for row in rows)]))
        assert read_relations(path).relations == WANTED

    def test_jsonl_with_numbers_and_lists(self, tmp_path: Path) -> None:
        rows = [{"item": 7, "other": 8, "kind": "series"}, {"item": "7", "other": ["9", None]}]
        path = table(tmp_path, "\n".join(map(json.dumps, rows)), "relations.jsonl")
        assert read_relations(path).relations == WANTED

    def test_parquet(self, tmp_path: Path) -> None:
        columns = {"item": ["7", "7"], "other": ["8", "9"], "kind": ["series", None]}
        pq.write_table(pa.table(columns), tmp_path / "relations.parquet")
        assert read_relations(tmp_path / "relations.parquet").relations == WANTED

    def test_without_a_column_that_it_needs(self, tmp_path: Path) -> None:
        for text in ("item,kind\n7,8\n", "7,8\n9,10\n"):
            with pytest.raises(ConfigError, match=r"have the columns .*; they need `item` and `other`, ids of rows"):
                read_relations(table(tmp_path, text))

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be opened: no such file"):
            read_relations(tmp_path / "none.csv")

    def test_lines_that_cannot_be_used_are_named_and_the_others_count(self, tmp_path: Path) -> None:
        rows = [
            '{"item": "7", "other": "8", "kind": "series"}',
            '{"item": "7"}',
            '{"other": "8"}',
            "{",
            '{"item": "7", "other": "9"}',
        ]
        found = read_relations(table(tmp_path, "\n".join(rows), "relations.jsonl"))
        assert found.relations == WANTED
        first, second, third = found.problems
        assert "line 2: a relation names two items, and this one lacks `other`" in first
        assert "line 3: a relation names two items, and this one lacks `item`" in second
        assert "line 4 is not JSON" in third


def row(folder: Path, text: str, name: str, columns: dict[str, str] | None = None) -> Row:
    (found,) = read_manifest(table(folder, text, name), columns)
    return found


class TestRows:
    def test_a_list_of_ids(self, tmp_path: Path) -> None:
        found = row(tmp_path, '{"id": "7", "text": "a bus", "related": ["8", 9, "8"]}', "rows.jsonl")
        assert found.related == (("related", "8"), ("related", "9"))
        assert found.problem is None
        assert of_field("7", found.fields["related"]) == [Relation("7", "8"), Relation("7", "9")]

    def test_in_csv_bars_separate_ids(self, tmp_path: Path) -> None:
        found = row(tmp_path, "id,text,related\n7,a bus,8 | 9\n", "rows.csv")
        assert found.related == (("related", "8"), ("related", "9"))

    def test_columns_of_several_kinds(self, tmp_path: Path) -> None:
        text = '{"id": "7", "text": "a bus", "sequel": "8", "cites": ["9"]}'
        found = row(tmp_path, text, "rows.jsonl", {"sequel": "related:series", "cites": "related:cites"})
        assert found.related == (("series", "8"), ("cites", "9"))
        assert set(found.fields) == {"related"}

    def test_a_cell_that_is_no_id(self, tmp_path: Path) -> None:
        found = row(tmp_path, '{"id": "7", "text": "a bus", "related": [{"id": 8}]}', "rows.jsonl")
        assert not found.related
        assert found.problem == "line 1: column 'related' holds dict, not text"

    def test_a_field_that_somebody_else_wrote_says_nothing(self) -> None:
        for text in (None, 7, "see also", "[1, 2]", '[["a"]]', '[["a", "b"'):
            assert of_field("7", text) == []
        assert of_field("7", written([("series", "ü")])) == [Relation("7", "ü", "series")]


class TestNeighbours:
    def test_both_see_one_another(self) -> None:
        known = Neighbours.of([Relation("a", "b"), Relation("c", "a")], ["related"], "abc")
        assert {item: sorted(beside) for item, beside in known.around.items()} == {
            "a": [("b", 0), ("c", 0)],
            "b": [("a", 0)],
            "c": [("a", 0)],
        }

    def test_a_directed_kind_is_another_one_from_its_other_end(self) -> None:
        relations = [Relation("a", "b", "cites"), Relation("a", "c", "series")]
        kinds = kinds_of(relations, ["cites"])
        assert kinds == ("cites", f"cites{BACK}", "series")
        known = Neighbours.of(relations, kinds, "abc")
        assert known.around == {"a": [("b", 0), ("c", 2)], "b": [("a", 1)], "c": [("a", 2)]}

    def test_a_directed_kind_that_there_is_not(self) -> None:
        with pytest.raises(
            ConfigError, match="directed names a kind 'cite', and no relation is of it; there are: cites"
        ):
            kinds_of([Relation("a", "b", "cites")], ["cite"])

    def test_what_is_said_twice_counts_once(self) -> None:
        known = Neighbours.of([Relation("a", "b"), Relation("a", "b"), Relation("b", "a")], ["related"], "ab")
        assert known.around == {"a": [("b", 0)], "b": [("a", 0)]}

    def test_what_is_not_used_is_counted_and_named(self) -> None:
        relations = [Relation("a", "x"), Relation("y", "a"), Relation("a", "a"), Relation("a", "b", "new")]
        known = Neighbours.of(relations, ["related"], "ab")
        assert not known.around
        assert known.problems() == [
            "2 ids of relations are of no item, such as 'x', 'y'; nothing is beside them",
            "relations of an item with itself say nothing and are left out: 'a'",
            "1 relation is of a kind that the model has not learned: 'new'; left out",
        ]

    def test_of_many_the_same_few_each_time_and_others_for_other_items(self) -> None:
        everybody = [str(n) for n in range(40)]
        relations = [Relation(item, other) for item in ("a", "b") for other in everybody]
        known = Neighbours.of(relations, ["related"], ["a", "b", *everybody])
        turned = Neighbours.of(reversed(relations), ["related"], ["a", "b", *everybody])
        few = known.of_item("a", 5)
        assert len(few) == 5
        assert few == turned.of_item("a", 5) == known.of_item("a")[:5]
        assert few != known.of_item("b", 5)
        assert sorted(known.of_item("a", 100)) == sorted((other, 0) for other in everybody)
