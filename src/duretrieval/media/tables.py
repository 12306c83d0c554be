"""Records of a JSONL, CSV or Parquet file, told apart by their first bytes, read a few at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BLANK, normal
from duretrieval.media.charset import SAMPLE_BYTES, encoding_of_file
from duretrieval.media.csv_rows import CsvRow, csv_rows

ROWS_AT_ONCE = 1_000
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}
_CONTROL = frozenset({*range(1, 32), 127} - {*b"\t\n\v\f\r\x1a\x1b"})


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
    """What is wrong with the row as a whole; `cells` holds what could be read of it all the same."""


def records(path: Path) -> Iterator[Record]:
    """Rows in order; one that is not whole becomes a record with a problem.

    Raises:
        ConfigError: the file cannot be opened, or is not a table; raised at once, not with the first row.
    """
    encoding = _encoding(path)
    if encoding is None:
        return _batches(_parquet(path))
    return _jsonl(path, encoding) if _begin(path, encoding).startswith("{") else _csv(path, encoding)


def headings(path: Path, wanted: Collection[str] = ()) -> list[str]:
    """The names of the columns, in order; of JSONL, those of the rows up to where all that are wanted have been seen.

    Raises:
        ConfigError: as `records`.
    """
    encoding = _encoding(path)
    if encoding is None:
        return [str(name) for name in _parquet(path).schema_arrow.names]
    if not (begin := _begin(path, encoding)).startswith("{"):
        return [name for name in _header(path, encoding, delimiter_of(begin)) if name]
    found: dict[str, str] = {}
    for record in _jsonl(path, encoding):
        found.update({normal(name): name for name in record.cells})
        if found and found.keys() >= {normal(name) for name in wanted}:
            break
    return list(found.values())


def delimiter_of(heading: str) -> str:
    """What cuts a heading into the most columns: a comma, a tab, or the semicolon of spreadsheets."""

    def columns(mark: str) -> int:
        return len(next(csv.reader([heading], delimiter=mark), ()))

    return max(_DELIMITERS, key=columns)


def _encoding(path: Path) -> str | None:
    """None: Parquet.

    Raises:
        ConfigError: the file cannot be opened, is empty, or no text.
    """
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except OSError as error:
        raise ConfigError(
            f"the manifest '{path}' cannot be opened: {(error.strerror or str(error)).lower()}"
        ) from error
    if head.startswith(b"PAR1"):
        return None
    encoding = encoding_of_file(path)
    stray = head.count(0) * 5 > len(head) or sum(byte in _CONTROL for byte in head) * 50 > len(head)
    if stray and not encoding.startswith(("utf-16", "utf-32", "iso2022")):
        raise ConfigError(f"the manifest '{path}' is not a table; it can be JSONL, CSV or Parquet")
    return encoding


def _begin(path: Path, encoding: str) -> str:
    """The first line that says something."""
    with path.open(encoding=encoding, errors="replace") as lines:
        begin = next((said for line in lines if (said := line.strip(BLANK).replace("\0", ""))), "")
    if begin.startswith("["):
        raise ConfigError(f"the manifest '{path}' is one JSON list; write one object a line (JSONL) instead")
    if not begin:
        raise ConfigError(f"the manifest '{path}' is empty")
    return begin


def _jsonl(path: Path, encoding: str) -> Iterator[Record]:
    with path.open(encoding=encoding, errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip(BLANK).replace("\0", "")
            if not line:
                continue
            twice: list[str] = []
            try:
                value = json.loads(line, object_pairs_hook=partial(_object, twice))
            except (ValueError, RecursionError) as error:
                yield Record(number, problem=f"line {number} is not JSON: {error}")
                continue
            if isinstance(value, dict):
                said = f"line {number} names {twice[0]!r} twice; the first is taken" if twice else None
                yield Record(number, value, problem=said)
            else:
                yield Record(number, problem=f"line {number} is not an object in {{}} but a {type(value).__name__}")


def _object(twice: list[str], pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """As a dictionary; names that come again go to `twice`."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            twice.append(name)
        found.setdefault(name, value)
    return found


def _csv(path: Path, encoding: str) -> Iterator[Record]:
    delimiter = delimiter_of(_begin(path, encoding))
    return _lines(path, encoding, delimiter, _header(path, encoding, delimiter))


def _header(path: Path, encoding: str, delimiter: str) -> list[str]:
    """Names of the columns of a CSV file, empty where they have none."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        row = next(csv_rows(file, delimiter), CsvRow(1, (), "the first line is empty"))
    if row.problem:
        raise ConfigError(f"the manifest '{path}' has no names of columns that can be read: {row.problem}")
    header = [name.strip(BLANK) for name in row.cells]
    _check_names(path, header)
    return header


def _check_names(path: Path, names: Iterable[str]) -> None:
    """Two columns of one name: nothing says which is meant."""
    seen: dict[str, str] = {}
    for name in names:
        if not name:
            continue
        if (known := normal(name)) in seen:
            also = "" if seen[known] == name else f" (the other is written {name!r})"
            raise ConfigError(f"the manifest '{path}' has two columns named {seen[known]!r}{also}; rename one of them")
        seen[known] = name


def _lines(path: Path, encoding: str, delimiter: str, header: Sequence[str]) -> Iterator[Record]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = csv_rows(file, delimiter, len(header))
        next(rows)
        for row in rows:
            if len(row.cells) > len(header) and not row.problem:
                said = f"line {row.line} has {len(row.cells)} columns, the first line names {len(header)}"
                yield Record(row.line, problem=f"{said}; quote its {_DELIMITERS[delimiter]}")
            else:
                cells = {name: cell for name, cell in zip(header, row.cells, strict=False) if name}  # no name: numbers
                yield Record(row.line, cells, typed=False, listed=False, problem=row.problem)


def _parquet(path: Path) -> Any:
    """The open file."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    try:
        table = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"the manifest '{path}' is a damaged Parquet file: {error}") from error
    _check_names(path, map(str, table.schema_arrow.names))
    return table


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
