"""Records of a JSONL, CSV or Parquet file, told apart by their first bytes, read a few at a time."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.media.charset import SAMPLE_BYTES, encoding_of_file

ROWS_AT_ONCE = 1_000
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}
CELL_CHARS = 20_000_000
"""In one cell of a CSV file, at most."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the file has it."""

    line: int
    cells: Mapping[str, Any] = field(default_factory=dict)
    typed: bool = True
    """Whether numbers are numbers here."""
    listed: bool = True
    """Whether lists are lists here."""
    problem: str | None = None


def records(path: Path) -> Iterator[Record]:
    """Rows in order; one that is not whole becomes a record with a problem.

    Raises:
        ConfigError: the file cannot be opened, or is not a table; raised at once, not with the first row.
    """
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except OSError as error:
        raise ConfigError(
            f"the manifest '{path}' cannot be opened: {(error.strerror or str(error)).lower()}"
        ) from error
    encoding = encoding_of_file(path)
    if head.startswith(b"PAR1"):
        return _parquet(path)
    if b"\0" in head and not encoding.startswith("utf-16"):
        raise ConfigError(f"the manifest '{path}' is not a table; it can be JSONL, CSV or Parquet")
    begin = head.decode(encoding, errors="replace").lstrip()
    if begin.startswith("["):
        raise ConfigError(f"the manifest '{path}' is one JSON list; write one object a line (JSONL) instead")
    if begin.startswith("{"):
        return _jsonl(path, encoding)
    if not begin:
        raise ConfigError(f"the manifest '{path}' is empty")
    return _csv(path, encoding)


def _jsonl(path: Path, encoding: str) -> Iterator[Record]:
    with path.open(encoding=encoding, errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                yield Record(number, problem=f"line {number} is not JSON: {error}")
                continue
            if isinstance(value, dict):
                yield Record(number, value)
            else:
                yield Record(number, problem=f"line {number} is not an object in {{}} but a {type(value).__name__}")


def _csv(path: Path, encoding: str) -> Iterator[Record]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        delimiter = _delimiter(file.readline())
        file.seek(0)
        header = [name.strip() for name in next(csv.reader(file, delimiter=delimiter))]
    if twice := [name for name, count in Counter(header).items() if name and count > 1]:
        raise ConfigError(f"the manifest '{path}' has two columns named {twice[0]!r}; rename one of them")
    return _lines(path, encoding, delimiter, header)


def _lines(path: Path, encoding: str, delimiter: str, header: Sequence[str]) -> Iterator[Record]:
    csv.field_size_limit(max(csv.field_size_limit(), CELL_CHARS))
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        next(rows)
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Record(line, problem=f"line {line} is not CSV: {error}")
                continue
            if len(row) > len(header):
                said = f"line {line} has {len(row)} columns, the first line names {len(header)}"
                yield Record(line, problem=f"{said}; quote its {_DELIMITERS[delimiter]}")
            elif any(row):
                cells = {name: cell for name, cell in zip(header, row, strict=False) if name}  # no name: row numbers
                yield Record(line, cells, typed=False, listed=False)


def _delimiter(heading: str) -> str:
    """A comma, unless the heading has none but a tab, or the semicolon of spreadsheets where the comma is decimal."""
    return next((mark for mark in _DELIMITERS if mark in heading), ",")


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    try:
        table = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"the manifest '{path}' is a damaged Parquet file: {error}") from error
    return _batches(table)


def _batches(table: Any) -> Iterator[Record]:
    line = 0
    with table:
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
            for cells in _rows(batch):
                line += 1
                yield Record(line, cells)


def _rows(batch: Any) -> list[dict[str, Any]]:
    """Without the dates that no calendar holds."""
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows
    except (OverflowError, ValueError):
        columns = [[_cell(value) for value in column] for column in batch.columns]
        return [dict(zip(batch.schema.names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cell(value: Any) -> Any:
    """As Python has it; of a time in nanoseconds the microseconds, None where Python has none."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    try:
        if pa.types.is_timestamp(value.type):
            value = value.cast(pa.timestamp("us", value.type.tz), safe=False)
        return value.as_py()
    except (OverflowError, ValueError, pa.ArrowException):
        return None
