"""Rows of a CSV file, of which one that opens a quote and never closes it takes none of the others with it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CELL_CHARS = 20_000_000
"""In one cell, at most."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The cells of one row."""

    line: int
    """Where it begins, from 1."""
    cells: Sequence[str]
    problem: str | None = None


class _Lines:
    """Lines that can be given back, and how many have been taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        """Since the row began."""
        self.number = 1
        """Of the next line."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines).replace("\0", "")
        self.taken.append(line)
        self.number += 1
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def csv_rows(lines: Iterable[str], delimiter: str, columns: int | None = None) -> Iterator[CsvRow]:
    """Rows as spreadsheets write them, blank lines left out; NUL characters are no characters.

    A cell over several lines is one only where its quote is closed where a cell ends, and the row then has as many
    `columns` as the others.  Otherwise the quote was not meant: the row is its first line, with a problem, and those
    after it are rows of their own.
    """
    csv.field_size_limit(max(csv.field_size_limit(), CELL_CHARS))
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.taken.clear()
        begin = source.number
        try:
            cells = next(reader)
            closed = len(source.taken) == 1 or columns in (None, len(cells))
        except StopIteration:
            return
        except csv.Error:
            closed = False
        first, *rest = source.taken
        if closed:
            problem = _swallowed(begin, rest, delimiter, columns) if rest else None
            if any(cells):
                yield CsvRow(begin, cells, problem)
            continue
        source.give_back(rest)
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        yield _first_line(begin, first, delimiter, columns, over=bool(rest))


def _first_line(line: int, text: str, delimiter: str, columns: int | None, over: bool) -> CsvRow:
    """What one line says by itself; `over`: its quote was looked for in the lines after it."""
    try:
        alone, *after = csv.reader([text, "next"], delimiter=delimiter)
        if after and not over:
            return CsvRow(line, alone)  # as in: 1,"5" screen
        cells = [cell.strip('"') for cell in next(csv.reader([text], delimiter=delimiter, quoting=csv.QUOTE_NONE))]
        if columns is not None and len(cells) != columns:
            cells = next(csv.reader([text], delimiter=delimiter))
    except csv.Error as error:
        return CsvRow(line, (), f"line {line} is not CSV: {error}")
    said = f"""line {line} opens a quote (") that is not closed; close it, or double it where it is a character"""
    return CsvRow(line, [cell.rstrip("\r\n") for cell in cells], said)


def _swallowed(line: int, rest: Sequence[str], delimiter: str, columns: int | None) -> str | None:
    """Whether a cell over several lines looks as if it held rows: every line within it has all columns."""
    within = [next(csv.reader([text], delimiter=delimiter, quoting=csv.QUOTE_NONE), []) for text in rest[:-1]]
    if not columns or columns < 2 or not within or any(len(cells) != columns for cells in within):
        return None
    return f"""lines {line} to {line + len(rest)} are one row; if that is not meant, a quote (") is missing in them"""
