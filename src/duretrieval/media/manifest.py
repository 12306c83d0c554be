"""A table whose rows are items of several files and texts: JSONL, CSV or Parquet. The one reader of it.

A collection takes a row as an item, an evaluation as things that belong together, training as a sample or several.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duretrieval.errors import UnsupportedMedia
from duretrieval.media.cells import BadCell, listed, one, scalar, string
from duretrieval.media.relations import RELATED
from duretrieval.media.relations import written as related_field
from duretrieval.media.roles import FACTS, FILES, Role, Roles
from duretrieval.media.tables import Record, records
from duretrieval.types import Array, Modality, Scalar
from duretrieval.vectors import rows_of

NEGATIVE: tuple[Role, ...] = ("negative",)
SHOWN = 80
"""Characters of what is no path."""
NAME_BYTES = 255
"""What file systems take."""
_NAMELESS = re.compile(r"line-(\d+)-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Content:
    """A text, a file, or a vector (t, d): something that can be searched, or learned from."""

    column: str
    modality: Modality | None
    """None: whatever the file turns out to hold."""
    value: str | Path | Array


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be used of a row, which is used without it."""

    reason: str
    column: str = ""
    """Empty: it is not about one cell."""
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says, with paths resolved but not looked at."""

    manifest: Path
    number: int
    """Where it stands: the line of a JSONL or CSV file, the row of a Parquet table, from 1."""
    given: str = ""
    """The id in it; empty where it has none that can be used."""
    name: str = ""
    contents: tuple[Content, ...] = ()
    """In the order of the columns; empty: the row is good for nothing, and `faults` say why."""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    """What can be filtered by: column -> value; facts are among them."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """label, key, group, split, start, end, as they are written."""
    faults: tuple[Fault, ...] = ()
    negatives: tuple[Content, ...] = ()
    """What could stand in `column`, and does not belong to the row."""
    related: tuple[tuple[str, str], ...] = ()
    """(kind, id) of the rows that it is related to, as it says itself; among `fields` too, as one text."""

    @property
    def id(self) -> str:
        """The id given, or else one that no row can give itself."""
        return self.given or nameless(self.manifest, self.number)

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """column -> its texts."""
        found: dict[str, tuple[str, ...]] = {}
        for content in self.contents:
            if isinstance(content.value, str):
                found[content.column] = (*found.get(content.column, ()), content.value)
        return found

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of all columns."""
        return tuple(content.value for content in self.contents if isinstance(content.value, Path))

    @property
    def problem(self) -> str | None:
        """All that a collection cannot use of it, in words; it has no use for negatives."""
        return self.problem_without(NEGATIVE)

    def problem_without(self, roles: Collection[Role] = ()) -> str | None:
        """The same, but for the columns that somebody does not look at."""
        said = "; ".join(fault.reason for fault in self.faults if fault.role not in roles)
        return (said if said.startswith("line") else f"line {self.number}: {said}") if said else None


def read_manifest(path: str | Path, columns: Mapping[str, str] | None = None) -> Iterator[Row]:
    """Rows in order, a few at a time, so that of a manifest of any length only the ids are held in memory.

    columns: what columns are that are not called as in `roles.NAMES`, or are something else here.  A cell holds a
    value or a list of them: several texts are several texts, several paths several files, relative to the manifest's
    folder; in CSV, "|" separates paths.  Fields: numbers, true and false, ISO dates (UTC where no zone is given),
    strings.  A cell that cannot be used is a fault of its row, which is used without it.  An id that an earlier row has
    is the later row's fault, which is good for nothing then: nobody knows which of them is meant.

    Raises:
        ConfigError: there is no such file, it is none of the three formats, two of its columns have one name; a role
            does not exist, or no column is called as `columns` says.
    """
    return read_manifests([path], columns)


def read_manifests(paths: Iterable[str | Path], columns: Mapping[str, str] | None = None) -> Iterator[Row]:
    """The rows of several manifests, in which an id stands once.

    Raises:
        ConfigError: as `read_manifest`, at once, of whichever of them.
    """
    found = [Path(path) for path in paths]
    roles = Roles(columns)
    tables = [(path, records(path)) for path in found]
    roles.check_files(found)
    return _rows(tables, roles)


def _rows(tables: Iterable[tuple[Path, Iterator[Record]]], roles: Roles) -> Iterator[Row]:
    first: dict[str, tuple[Path, int]] = {}
    for path, table in tables:
        for record in table:
            row = row_of(record, path, roles)
            where = first.setdefault(row.given, (path, record.line)) if row.given else (path, record.line)
            yield row if where == (path, record.line) else _again(row, *where)


def _again(row: Row, manifest: Path, number: int) -> Row:
    """A row whose id is taken."""
    of = f"line {number}" if manifest == row.manifest else f"line {number} of {manifest.name}"
    said = f"its id '{row.given}' is that of {of}; give it another, or none"
    return Row(row.manifest, row.number, faults=(Fault(said, role="id"),))


def row_of(record: Record, manifest: Path, roles: Roles) -> Row:
    """One record as a row; manifest: the file that its paths are relative to."""
    reading = _Reading(record, manifest, roles)
    for column, value in record.cells.items():
        reading.cell(str(column), value)
    return reading.row()


def nameless(manifest: Path, number: int) -> str:
    """What a row without an id is called: line-7-c0ffee42.  `read_manifest` takes no id that looks so."""
    return f"line-{number}-{hashlib.blake2b(bytes(manifest.absolute()), digest_size=4).hexdigest()}"


def line_of(id: str) -> int | None:
    """The line of a row without an id, by what it is called; None for an id that was given."""
    found = _NAMELESS.fullmatch(id)
    return int(found[1]) if found else None


class _Reading:
    """A row in the making."""

    def __init__(self, record: Record, manifest: Path, roles: Roles) -> None:
        self._record = record
        self._manifest = manifest
        self._folder = manifest.absolute().parent
        self._roles = roles
        self._id = ""
        self._names: list[str] = []
        self._contents: list[Content] = []
        self._fields: dict[str, Scalar] = {}
        self._facts: dict[str, str] = {}
        self._faults = [Fault(record.problem)] if record.problem else []
        self._negatives: list[tuple[str, str, Any]] = []
        self._related: dict[tuple[str, str], None] = {}

    def cell(self, column: str, value: Any) -> None:
        """Take what one cell says, or note why that cannot be."""
        heading = column
        column, role = self._roles(column)
        entries = listed(value)
        if role == "negative":
            self._negatives += [(column, self._roles.more(heading), entry) for entry in entries]
            role = "field" if len(entries) == 1 and isinstance(entries[0], str) else "ignore"  # as of old, to filter by
        if role in (*FILES, "related") and not self._record.listed:
            entries = [path for entry in entries for path in str(entry).split("|")]
        elif role == "vector":
            entries = _vectors(value)
        elif role not in (*FILES, "text", "name", "related") and entries:
            entries = [value]
        for entry in entries:
            try:
                if role == "related":
                    self._relate(self._roles.more(heading) or RELATED, string(entry, column).strip())
                else:
                    self._take(heading, role, entry)
            except BadCell as error:
                fault = Fault(str(error), column, role)
                if fault not in self._faults:  # a list may hold many of a kind
                    self._faults.append(fault)

    def _take(self, heading: str, role: Role, value: Any) -> None:
        column, _ = self._roles(heading)
        if role == "id":
            self._id = self._id or _identity(value, column)
        elif role == "name":
            self._names.append(string(value, column).strip())
        elif role == "text":
            if (text := string(value, column)).strip():
                self._contents.append(Content(column, Modality.TEXT, text))
        elif role in FILES:
            if name := _path(value, column):
                self._contents.append(Content(column, FILES[role], self._folder / name))
        elif role == "vector":
            self._contents.append(Content(column, Modality(self._roles.more(heading)), self._vector(column, value)))
        elif role != "ignore":
            found = one(value, column) if role in FACTS else value
            if (converted := scalar(found, column, self._record.typed)) is not None:
                self._fields[column] = converted
                written = _share(found, self._roles.more(heading), column) if role == "score" else _written(found)
                if role in FACTS and written:
                    self._facts.setdefault(role, written)

    def _vector(self, column: str, value: Any) -> Path | Array:
        """The file that holds it, or the numbers that stand in the cell."""
        if isinstance(value, str):
            return self._folder / _path(value, column)
        try:
            return rows_of(value)
        except UnsupportedMedia as error:
            raise BadCell(f"column '{column}' holds no vector that can be used: {error}") from error

    def _relate(self, kind: str, id_: str) -> None:
        if id_:
            self._related[kind, id_] = None

    def row(self) -> Row:
        """Once every cell is taken."""
        negatives = tuple(self._negative(*found) for found in self._negatives)
        if self._related:
            self._fields[RELATED] = related_field(self._related)
        explained = self._record.problem or any(fault.role in ("text", "vector", *FILES) for fault in self._faults)
        if not self._contents and not explained:
            self._faults.append(Fault(self._empty()))
        return Row(
            self._manifest,
            self._record.line,
            self._id,
            " ".join(filter(None, self._names)),
            tuple(self._contents),
            self._fields,
            self._facts,
            tuple(self._faults),
            tuple(filter(None, negatives)),
            tuple(self._related),
        )

    def _negative(self, column: str, place: str, entry: Any) -> Content | None:
        """A negative, in the column in whose place it could stand."""
        kinds = {content.column: content.modality for content in self._contents}
        texts = [name for name, modality in kinds.items() if modality is Modality.TEXT]
        place = place or ("positive" if "positive" in texts else texts[0] if len(texts) == 1 else "")
        try:
            if not place:
                there = ", ".join(f"'{name}'" for name in texts) or "none"
                raise BadCell(
                    f"column '{column}' holds what does not belong to the row, and could stand in the place of any of "
                    f"its texts ({there}); say in which, with --column {shlex.quote(f'{column}=negative:COLUMN')}"
                )
            if place not in kinds:
                raise BadCell(f"column '{column}' holds what could stand in '{place}', and the row has nothing there")
            if kinds[place] is Modality.TEXT:
                text = string(entry, column)
                return Content(place, Modality.TEXT, text) if text.strip() else None
            return Content(place, kinds[place], self._folder / _path(entry, column))
        except BadCell as error:
            self._faults.append(Fault(str(error), column, "negative"))
            return None

    def _empty(self) -> str:
        columns = [self._roles(str(column)) for column in self._record.cells]
        have = [name for name, _ in columns]
        other = next((name for name, role in columns if role == "field"), "NAME")
        return (
            f"the row names no file and holds no text; its columns are {', '.join(have) or 'none'}: say what each is, "
            f"with --column {shlex.quote(f'{other}=text')}, or =image, =video, =audio, =file (in a recipe: "
            f"data.columns={{ '{other}' = 'text' }})"
        )


def _identity(value: Any, column: str) -> str:
    found = one(value, column)
    identity = "" if found is None else string(found, column).strip()
    if line_of(identity) is not None:
        raise BadCell(f"column '{column}' holds '{identity}', as only rows without an id are called; give it another")
    return identity


def _written(value: Any) -> str:
    """As text, true and false as CSV has them."""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("\0", "").strip()


def _share(value: Any, most: str, column: str) -> str:
    """A score as a share of the most it can be."""
    try:
        share = float(value) / float(most or 1)
    except (TypeError, ValueError, ZeroDivisionError):
        share = math.nan
    if not 0 <= share <= 1:
        raise BadCell(
            f"column '{column}' holds {value!r}; a score is from 0 to {most or 1}. Where the most is another, say so: "
            f"--column {shlex.quote(f'{column}=score:5')}"
        )
    return repr(share)


def _vectors(value: Any) -> list[Any]:
    """What a cell of vectors holds: numbers, lists of numbers (a sequence), or paths; in CSV as JSON has them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [[value]]  # text, and so a fault
    if isinstance(value, list) and value and not all(isinstance(entry, str) for entry in value):
        return [value]  # NaN or nothing among its numbers is a fault of it
    return listed(value)


def _path(value: Any, column: str) -> str:
    name = string(value, column).strip()
    short = name if len(name) < SHOWN else f"{name[:SHOWN]} ..."
    if "://" in name or name.startswith("data:"):
        raise BadCell(f"column '{column}' names an address, '{short}'; download it and name the file")
    if any(len(os.fsencode(part)) > NAME_BYTES for part in name.split("/")):
        raise BadCell(f"column '{column}' holds {len(name):,} characters, '{short}', which are no path; name a file")
    return name
