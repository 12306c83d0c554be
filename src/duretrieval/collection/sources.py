"""What there is to index: files, rows of manifests and items at hand, all as entries."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from duretrieval.collection import storable
from duretrieval.errors import MediaError
from duretrieval.index import filters
from duretrieval.index.lance import place
from duretrieval.media.folders import Source, digest, gone, look, stamp, walk
from duretrieval.media.limits import Limits
from duretrieval.media.manifest import Row, line_of, read_manifests
from duretrieval.types import Array, Item, Modality, Part, Scalar


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that becomes one item: files still to be decoded, and parts at hand."""

    id: str
    source: str
    stamp: str
    files: tuple[Path, ...] = ()
    parts: tuple[Part, ...] = ()
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    problem: str | None = None
    digest: str = ""
    reuse: tuple[Item, Array] | None = None
    """An item with the same content, and its vectors: nothing needs to be decoded."""
    wanted: tuple[Modality | None, ...] = ()
    """What each of `files` is to hold; empty: whatever it does."""
    row: bool = False
    """Whether it is a row of a manifest."""
    formerly: str = ""
    """The source under which earlier versions stored a row without an id."""

    @property
    def is_file(self) -> bool:
        """Whether the item is one file, rather than a row of a manifest or an item made in Python."""
        return len(self.files) == 1 and storable.name(self.files[0]) == self.source


def from_paths(paths: Iterable[str | Path]) -> Iterator[Entry]:
    """An entry a file, for files and folders; what a collection consists of is passed over.

    Raises:
        MediaError: a path does not exist, or leads into a collection.
    """
    return (_file_entry(found) for found in _walk(paths))


class Rows:
    """An entry a row of manifests; and, once all are read, what is stored of them that no row stands for any more."""

    def __init__(self, manifests: Iterable[str | Path], columns: Mapping[str, str] | None = None) -> None:
        self._paths = [Path(path).absolute() for path in manifests]
        self._columns = columns
        self.sources: set[str] = set()
        """Of all rows so far."""
        self._lines: dict[Path, dict[int, bool]] = {path: {} for path in self._paths}
        """manifest -> line -> whether its row gives an id"""

    def __iter__(self) -> Iterator[Entry]:
        """Raises ConfigError as `read_manifests`."""
        for row in read_manifests(self._paths, self._columns):
            entry = _from_row(row)
            self.sources.add(entry.source)
            self._lines[row.manifest][row.number] = bool(row.given)
            yield entry

    @property
    def where(self) -> str:
        """A filter for all that is stored of these manifests."""
        begins = [
            (filters.quoted(storable.name(f"{path}#")), filters.quoted(storable.name(f"{path}$")))  # "$" follows "#"
            for path in self._paths
        ]
        return " OR ".join(f"(source >= {low} AND source < {high})" for low, high in begins) or "1 = 0"

    def replaced(self, item: Item) -> bool:
        """Whether the item was a row that could not be used at all, or had no id and now is called by one."""
        path = next((path for path in self._paths if item.source.startswith(storable.name(f"{path}#"))), None)
        if path is None or item.source in self.sources:
            return False
        if item.problem is not None and not item.parts:
            return True
        lines, id_ = self._lines[path], item.source.removeprefix(storable.name(f"{path}#"))
        line = line_of(id_)
        if line is None:  # earlier versions called a row without an id by its line alone
            return id_.isdecimal() and lines.get(int(id_)) is False
        return line in lines


def _from_row(row: Row) -> Entry:
    files: dict[Path, Modality | None] = {}
    for content in row.contents:
        if isinstance(content.value, Path):
            before = files.setdefault(content.value, content.modality)
            if before is not content.modality:  # one file in two columns: a film and its sound, or anything
                films = {before, content.modality} == {Modality.VIDEO, Modality.AUDIO}
                files[content.value] = Modality.VIDEO if films else None
    return Entry(
        id=storable.name(row.id),
        source=storable.name(f"{row.manifest}#{row.id}"),
        stamp=_row_stamp(row),
        files=tuple(files),
        wanted=tuple(files.values()),
        parts=tuple(
            Part(content.modality or Modality.TEXT, content.value)
            for content in row.contents
            if not isinstance(content.value, Path)
        ),
        fields={"kind": "item", **row.fields, "name": _name(row)},
        problem=row.problem,
        row=True,
        formerly="" if row.given else storable.name(f"{row.manifest}#{row.number}"),
    )


def from_items(items: Iterable[Item]) -> Iterator[Entry]:
    """An entry an item; parts whose content is a path become files."""
    for item in items:
        parts = [storable.part(part) for part in item.parts if part.modality is not Modality.WHOLE]
        files = {part.content: part.modality for part in parts if isinstance(part.content, Path)}
        yield Entry(
            id=storable.name(item.id),
            source=storable.name(item.source),
            stamp=storable.name(item.stamp),
            files=tuple(files),
            wanted=tuple(modality if _is_vector(path) else None for path, modality in files.items()),
            parts=tuple(part for part in parts if not isinstance(part.content, Path)),
            fields={"kind": "item", "name": item.id, **item.fields},
            problem=item.problem,
        )


def from_store(items: Iterable[Item], limits: Limits) -> Iterator[Entry]:
    """An entry a stored item, for encoding it again: from its files, or from its texts where it has none."""
    for item in items:
        source = storable.path(item.source)
        if os.path.isfile(source):  # noqa: PTH113  (pathlib's raises for a name too long)
            found = replace(_file_entry(look(source)), id=item.id, source=item.source)
            yield replace(found, digest=digest_of(found, limits))
            continue
        files: dict[Path, set[Modality]] = {}
        for part in item.parts:
            if part.file:
                files.setdefault(storable.path(part.file), set()).add(part.modality)
        texts = tuple(part for part in item.parts if part.modality is Modality.TEXT and not part.file)
        failed = item.problem and not item.parts and stands(item.source)
        given = any(part.modality not in (Modality.TEXT, Modality.WHOLE) and not part.file for part in item.parts)
        lost = None if files or texts or failed else f"{item.source} is gone, so it cannot be encoded again"
        if given and stands(item.source):
            lost = f"its vectors lie in {item.source}, which is not read again here; index that once more"
        entry = Entry(item.id, item.source, item.stamp, tuple(files), texts, item.fields, problem=lost or item.problem)
        yield replace(entry, wanted=tuple(_only(path, held, item.problem) for path, held in files.items()))


def _only(path: Path, held: set[Modality], problem: str | None) -> Modality | None:
    """What a file of a stored item is to hold: the sound alone, of a film maybe; what a vector is of."""
    sound = held == {Modality.AUDIO} and not problem
    return next(iter(held)) if sound or (_is_vector(path) and len(held) == 1) else None


def _is_vector(path: Path) -> bool:
    return path.suffix.lower() in (".npy", ".npz")


def stands(source: str) -> bool:
    """Whether a file, or the manifest of a row, is still there."""
    return any(
        Path(place).is_file() for place in (source, *(source[: mark.start()] for mark in re.finditer("#", source)))
    )


def can_be_read_again(item: Item) -> bool:
    """Whether everything that a stored item was made from is still there: its file, or its files and texts."""
    if item.digest:
        return not gone(storable.path(item.source))
    files = [storable.path(part.file) for part in item.parts if part.file]
    encoded = [part for part in item.parts if part.modality is not Modality.WHOLE]
    at_hand = [part for part in encoded if part.modality is Modality.TEXT or part.file]
    return bool(encoded) and len(at_hand) == len(encoded) and not any(gone(file) for file in files)


def source_fault(item: Item) -> str | None:
    """What is wrong with the source of an item that was made from a file: gone, or changed since."""
    if not item.digest:
        return None
    source = storable.path(item.source)
    if gone(source):
        return f"{item.source} is gone; `duretrieval index --prune` removes what is gone"
    return f"{item.source} has changed; index it again" if _stamp(source) != item.stamp else None


def count(paths: Iterable[str | Path]) -> int:
    """How many files there are, by walking."""
    return sum(1 for _ in _walk(paths))


def _walk(paths: Iterable[str | Path]) -> Iterator[Source]:
    roots = [Path(path) for path in paths]
    for root in roots:
        if store := place.owner(root):
            raise MediaError(
                f"'{storable.name(root)}' is a collection, or a part of one ({store}), and no collection is indexed; "
                "give the folder of the files themselves"
            )
    return walk(roots, leave_out=place.is_store)


def _file_entry(found: Source) -> Entry:
    path = found.path.absolute()
    return Entry(
        id=id_of(str(path)),
        source=storable.name(path),
        stamp=found.stamp,
        files=() if found.problem else (path,),
        fields=_file_fields(found),
        problem=found.problem,
    )


def id_of(text: str) -> str:
    """An id that follows from a text: 16 hex digits of its BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def digest_of(entry: Entry, limits: Limits) -> str:
    """Of an item that is one file, and one that will be read; an empty file may be one that lies about its size."""
    try:
        if not entry.is_file or not 0 < entry.files[0].stat().st_size <= limits.max_bytes:
            return ""
        return digest(entry.files[0])
    except OSError:
        return ""  # decoding will meet the same fault and name it


def _name(row: Row) -> str:
    """What a person calls it: its name, else its title, else its id, else where it stands."""
    return row.name or row.texts.get("title", (row.given,))[0] or f"{row.manifest.name} line {row.number}"


def _row_stamp(row: Row) -> str:
    """Changes with the row and with the size or time of any of its files."""
    called = row.given or str(row.number)  # as earlier versions had it, which need not encode it again
    texts = {column: held[0] if len(held) == 1 else held for column, held in row.texts.items()}
    parts = [called, row.name or called, repr(sorted(texts.items())), repr(sorted(row.fields.items()))]
    parts += [f"{file} {_stamp(file)}" for file in row.files]
    vectors = [content.value for content in row.contents if isinstance(content.value, np.ndarray)]
    parts += [hashlib.blake2b(vector.tobytes(), digest_size=8).hexdigest() for vector in vectors]
    return id_of(storable.name("\n".join(parts)))


def _stamp(file: Path) -> str:
    try:
        return stamp(file)
    except (OSError, ValueError):
        return "missing"


def _file_fields(found: Source) -> dict[str, Scalar]:
    path = found.path
    fields: dict[str, Scalar] = {"name": storable.name(path.name), "ext": storable.name(path.suffix[1:].lower())}
    if found.changed_s is None:
        return fields
    fields["bytes"] = found.size
    with suppress(ValueError, OverflowError, OSError):  # beyond any calendar, where a clock was wrong
        fields["modified"] = datetime.fromtimestamp(found.changed_s, UTC)
    return fields
