"""A table whose rows are items of several files and texts: JSONL, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BadCell, scalar, strings
from duretrieval.media.tables import Record, records
from duretrieval.types import Scalar

Role = Literal["id", "name", "text", "file", "field", "ignore"]

ROLES: Mapping[str, Role] = {
    "id": "id",
    "name": "name",
    **dict.fromkeys(("text", "title", "caption", "description"), "text"),
    **dict.fromkeys(("image", "images", "audio", "video", "file", "files"), "file"),
}
"""What a column is when nothing else is said; every column that is not here is a field."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item to be: what a row says, with paths resolved but not looked at."""

    number: int
    """Where it stands: the line of a JSONL or CSV file, the row of a Parquet table, from 1."""
    id: str
    name: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Text by column."""
    files: tuple[Path, ...] = ()
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    problem: str | None = None
    """Why this row cannot be used; the rows after it can."""


def read_manifest(path: str | Path, columns: Mapping[str, str] | None = None) -> Iterator[Row]:
    """Rows in order, a few at a time, so that a manifest of any length takes the same memory.

    columns: what columns are that are not called as in `ROLES`, or are something else here.  File columns hold a path
    or a list of paths, relative to the manifest's folder; in CSV, "|" separates them.  The id is the line number where
    no column gives one.  Fields: numbers, true and false, ISO dates (UTC where no zone is given), strings.

    Raises:
        ConfigError: there is no such file, it is none of the three formats, or a role does not exist.
    """
    path = Path(path)
    for column, role in (columns or {}).items():
        if role not in get_args(Role):
            raise ConfigError(f"column '{column}' cannot be {role!r}; the roles are: {', '.join(get_args(Role))}")
    found = records(path)
    roles = {**ROLES, **(columns or {})}
    return (_row(record, path.absolute().parent, roles) for record in found)


def _row(record: Record, folder: Path, roles: Mapping[str, str]) -> Row:
    if record.problem is not None:
        return Row(record.line, str(record.line), str(record.line), problem=record.problem)
    identity = str(record.line)
    try:
        for column, value in record.cells.items():
            if roles.get(column) == "id" and value not in (None, ""):
                identity = _text(value, column)
        return _filled(record, identity, folder, roles)
    except BadCell as error:
        return Row(record.line, identity, identity, problem=f"line {record.line}: {error}")


def _filled(record: Record, identity: str, folder: Path, roles: Mapping[str, str]) -> Row:
    name = ""
    texts: dict[str, str] = {}
    files: list[Path] = []
    fields: dict[str, Scalar] = {}
    for column, value in record.cells.items():
        role = roles.get(column, "field")
        if role == "name" and value is not None:
            name = _text(value, column)
        elif role == "text":
            if value is not None and (text := _text(value, column)):
                texts[column] = text
        elif role == "file":
            files.extend(folder / entry for entry in paths(value, column, record.listed))
        elif role == "field" and (converted := scalar(value, column, record.typed)) is not None:
            fields[column] = converted
    if not texts and not files:
        have = ", ".join(map(str, record.cells)) or "none"
        raise BadCell(f"the row names no file and holds no text; its columns are {have}: say what each is (--column)")
    return Row(record.line, identity, name or identity, texts, tuple(files), fields)


def _text(value: Any, column: str) -> str:
    """One string; several are joined as paragraphs."""
    return "\n\n".join(strings(value, column))


def paths(value: Any, column: str, listed: bool) -> list[str]:
    """The paths in a cell; `listed`: lists come as lists, not as one string with bars."""
    found = strings(value, column)
    if not listed:
        found = [entry.strip() for text in found for entry in text.split("|")]
    for entry in found:
        if "://" in entry:
            raise BadCell(f"column '{column}' names an address, '{entry}'; download it and name the file")
    return [entry for entry in found if entry]
