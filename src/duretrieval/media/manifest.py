"""Manifests: a table of items, one a row, each with any number of files and texts, and fields of the user's own.

| column | is |
|---|---|
| `id` | the item's id; the number of the row where there is none |
| `name` | what to show it as; the id where there is none |
| `text` `title` `caption` `description` | texts to find it by |
| `image` `images` `audio` `video` `file` `files` | files, relative to the manifest; several as a list, in CSV by `|` |
| any other | a field to filter by: a number, true or false, an ISO date, or words |
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media.charset import SAMPLE, encoding
from duretrieval.types import Scalar

TEXTS = ("text", "title", "caption", "description")
FILES = ("image", "images", "audio", "video", "file", "files")
CELL = 50_000_000
"""Characters in one cell of a CSV file, at most."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<rest>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)")
ROLES = ("id", "name", "text", "file", "field")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest; with a `problem` where it cannot be used as it is written."""

    id: str
    name: str
    number: int
    """Of the row, counted from 1, a CSV's heading not counted."""
    texts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    problem: str | None = None


def read_manifest(path: Path, columns: Mapping[str, str] | None = None) -> Iterator[Row]:
    """The rows of a .jsonl, .csv, .tsv or .parquet file, one at a time.

    columns: column -> "id", "name", "text", "file" or "field", for columns whose name does not say it.

    Raises:
        MediaError: there is no such file, or it is not a table of these kinds.
        ConfigError: `columns` gives a role that there is not.
    """
    for column, role in (columns or {}).items():
        if role not in ROLES:
            raise ConfigError(f"column {column!r} cannot be {role!r}; the roles are: {', '.join(ROLES)}")
    readers = {".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv, ".tsv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise MediaError(f"{path} is not a manifest: its name must end in {', '.join(readers)}")
    if not path.is_file():
        raise MediaError(f"there is no manifest {path}")
    for number, values in enumerate(reader(path), start=1):
        if isinstance(values, str):
            yield Row(f"row {number}", f"row {number}", number, problem=values)
        else:
            yield _row(path, number, values, columns or {})


def _row(path: Path, number: int, values: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
    texts: dict[str, str] = {}
    files: list[Path] = []
    fields: dict[str, Scalar] = {}
    named = {"id": f"row {number}", "name": ""}
    problems: list[str] = []
    for column, value in values.items():
        role = columns.get(column) or _role(column)
        if not column or value is None or value == "" or value != value:  # NaN is how tables say "none"
            continue
        if role in named:
            named[role] = str(value)
        elif role == "text":
            texts[column] = str(value)
        elif role == "file":
            files += [path.parent / name for name in _names(value)]
        else:
            try:
                fields[column] = _scalar(_typed(value) if path.suffix.lower() in (".csv", ".tsv") else value)
            except ConfigError as error:
                problems.append(f"column {column!r}: {error}")
    if not texts and not files:
        problems.append("the row names no file and holds no text")
    problem = f"row {number}: {'; '.join(problems)}" if problems else None
    return Row(named["id"], named["name"] or named["id"], number, texts, tuple(files), fields, problem)


def _role(column: str) -> str:
    if column in ("id", "name"):
        return column
    return "text" if column in TEXTS else "file" if column in FILES else "field"


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else str(value).split("|")
    return [str(name).strip() for name in names if str(name).strip()]


def _scalar(value: Any) -> Scalar:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ConfigError("the number is too large; write it as text, in quotes")
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _dated(value)
    raise ConfigError(f"a {type(value).__name__} cannot be a field; give each value a column of its own")


def _dated(value: str) -> Scalar:
    """`2024-05-01` and `2024-05-01T12:00:00Z` as times; anything else stays text."""
    if len(value) < 10 or value[4:5] != "-" or value[7:8] != "-":
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json_lines(path: Path) -> Iterator[Mapping[str, Any] | str]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except json.JSONDecodeError as error:
                yield f"the line is not JSON: {error}"
                continue
            yield values if isinstance(values, dict) else "the line is not a JSON object"


def _csv(path: Path) -> Iterator[Mapping[str, Any] | str]:
    csv.field_size_limit(max(csv.field_size_limit(), CELL))
    with path.open("rb") as file:
        written = encoding(file.read(SAMPLE))
    with path.open(encoding=written, errors="replace", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield f"the line is not CSV: {error}"
                continue
            if row is None:
                return
            if None in row:
                yield f"{len(row) - 1 + len(row[None])} values for {len(rows.fieldnames or ())} columns"
            else:
                yield row


def _typed(value: Any) -> Any:
    """CSV knows only text: what is written as a number, or as true or false, becomes one.

    A number with a leading nought or more than 18 digits is the name of something (a postcode, a barcode): text.
    """
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    found = _NUMBER.fullmatch(value)
    if found is None:
        return value
    return float(value) if found["rest"] else int(value) if len(value) <= 18 else value


def _parquet(path: Path) -> Iterator[Mapping[str, Any] | str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise MediaError(f"{path} is not a Parquet file: {error}") from error
    with table:
        yield from chain.from_iterable(batch.to_pylist() for batch in table.iter_batches(batch_size=1000))
