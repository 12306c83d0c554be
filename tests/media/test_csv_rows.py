"""Quotes that are opened and not closed, and what a spreadsheet may do all the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.errors import ConfigError
from duretrieval.media import read_manifest
from duretrieval.media.csv_rows import csv_rows

TEXT = "id,text,image\n1,red,r.png\n"


def read(text: str, columns: int | None = None) -> list[tuple[int, list[str], bool]]:
    lines = io.StringIO(text, newline="")
    return [(row.line, list(row.cells), row.problem is not None) for row in csv_rows(lines, ",", columns)]


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6))
def test_what_the_library_writes_is_read_as_it_was(rows: list[list[str]]) -> None:
    held = [row for row in rows if any(row)]
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(held)
    assert [found for _, found, _ in read(file.getvalue(), 3)] == held


@pytest.mark.parametrize(
    ("lines", "unclosed", "texts"),
    [
        (['1,"red', "2,blue", "3,green"], [1], ["red", "blue", "green"]),
        (['1,"red', '2,"blue"', "3,green"], [1], ["red", "blue", "green"]),
        (['1,"red', '2,"blue', '3,"green"'], [1, 2], ["red", "blue", "green"]),
        (['1,"red', "2,blue", '3,"green'], [1, 3], ["red", "blue", "green"]),
        (['1,red"', '2,"blue', "3,green"], [2], ['red"', "blue", "green"]),
        (['1,"red, dark', "2,blue", "3,green"], [1], ["red, dark", "blue", "green"]),
        (['1,"red', '2,", and ""so"" on"', "3,green"], [1], ["red", ', and "so" on', "green"]),
    ],
)
def test_an_open_quote_takes_no_other_row_with_it(lines: list[str], unclosed: list[int], texts: list[str]) -> None:
    found = read("\n".join(lines), 2)
    assert [line for line, _, problem in found if problem] == unclosed
    assert [row[1] for _, row, _ in found] == texts


def test_cells_over_several_lines_and_quotes_within_a_line() -> None:
    text = '1,"red\nand ""blue""\n\ntoo"\n\n2,"5" screen\n3,a "b" c\n'
    assert read(text, 2) == [
        (1, ["1", 'red\nand "blue"\n\ntoo'], False),
        (6, ["2", "5 screen"], False),
        (7, ["3", 'a "b" c'], False),
    ]


def test_a_row_that_looks_as_if_it_held_rows_is_told_of_and_left(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('id,text\n1,"red\n2,blue\n3,green"\n4,last\n')
    first, last = read_manifest(path)
    assert first.problem == 'lines 2 to 4 are one row; if that is not meant, a quote (") is missing in them'
    assert (first.texts, last.id) == ({"text": ("red\n2,blue\n3,green",)}, "4")


def test_the_line_is_named_and_its_cells_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(TEXT + '2,"white roses,b.png\n3,crane,c.png\n')
    rows = list(read_manifest(path))
    assert [row.id for row in rows] == ["1", "2", "3"]
    assert (
        rows[1].problem == 'line 3 opens a quote (") that is not closed; close it, or double it where it is a character'
    )
    assert (rows[1].texts, rows[1].files) == ({"text": ("white roses",)}, (tmp_path / "b.png",))


def test_a_heading_with_an_open_quote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text('id,"text\n1,red\n')
    with pytest.raises(ConfigError, match=r"has no names of columns that can be read: line 1 opens a quote \(\"\)"):
        read_manifest(tmp_path / "m.csv")
