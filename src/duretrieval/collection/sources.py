"""What there is to index: files, rows of manifests and items at hand, all as entries; and which of them are news."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from duretrieval.index import filters
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.folders import digest, stamp, walk
from duretrieval.media.manifest import Row, line_of, read_manifests
from duretrieval.types import Array, Item, Modality, Part, Scalar

BATCH = 1000
"""Entries looked up in the store at a time."""


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
        return len(self.files) == 1 and _printable(str(self.files[0])) == self.source


def from_paths(paths: Iterable[str | Path]) -> Iterator[Entry]:
    """An entry a file, for files and folders.

    Raises:
        MediaError: a path does not exist.
    """
    for found in walk(Path(path) for path in paths):
        path = found.path.absolute()
        source = _printable(str(path))
        yield Entry(
            id=_id(str(path)),
            source=source,
            stamp=found.stamp,
            files=() if found.problem else (path,),
            fields=_file_fields(found.path),
            problem=found.problem,
        )


class Rows:
    """An entry a row of manifests; and, once all are read, what is stored of them that no row stands for any more."""

    def __init__(self, manifests: Iterable[str | Path], columns: Mapping[str, str] | None = None) -> None:
        self._paths = [Path(path).absolute() for path in manifests]
        self._columns = columns
        self._sources: set[str] = set()
        self._lines: dict[Path, dict[int, bool]] = {path: {} for path in self._paths}
        """manifest -> line -> whether its row gives an id"""

    def __iter__(self) -> Iterator[Entry]:
        """Raises ConfigError as `read_manifests`."""
        for row in read_manifests(self._paths, self._columns):
            entry = _from_row(row)
            self._sources.add(entry.source)
            self._lines[row.manifest][row.number] = bool(row.given)
            yield entry

    @property
    def where(self) -> str:
        """A filter for all that is stored of these manifests."""
        begins = [(filters.quoted(f"{path}#"), filters.quoted(f"{path}$")) for path in self._paths]  # "$" follows "#"
        return " OR ".join(f"(source >= {low} AND source < {high})" for low, high in begins) or "1 = 0"

    def gone(self, item: Item, prune: bool) -> bool:
        """Whether the item came from a row that is no more: replaced, or with `prune`, taken out of its manifest.

        Replaced: it could not be used at all, or it had no id and now is called by one.
        """
        path = next((path for path in self._paths if item.source.startswith(f"{path}#")), None)
        if path is None or item.source in self._sources:
            return False
        lines, id_ = self._lines[path], item.source.removeprefix(f"{path}#")
        if prune or (item.problem is not None and not item.parts):
            return True
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
        id=row.id,
        source=f"{row.manifest}#{row.id}",
        stamp=_row_stamp(row),
        files=tuple(files),
        wanted=tuple(files.values()),
        parts=tuple(Part(Modality.TEXT, content.value) for content in row.contents if isinstance(content.value, str)),
        fields={"kind": "item", **row.fields, "name": _name(row)},
        problem=row.problem,
        row=True,
        formerly="" if row.given else f"{row.manifest}#{row.number}",
    )


def from_items(items: Iterable[Item]) -> Iterator[Entry]:
    """An entry an item; parts whose content is a path become files."""
    for item in items:
        files = tuple(part.content for part in item.parts if isinstance(part.content, Path))
        yield Entry(
            id=item.id,
            source=item.source,
            stamp=item.stamp,
            files=files,
            parts=tuple(p for p in item.parts if not isinstance(p.content, Path) and p.modality is not Modality.WHOLE),
            fields={"kind": "item", "name": item.id, **item.fields},
            problem=item.problem,
        )


def from_store(items: Iterable[Item]) -> Iterator[Entry]:
    """An entry a stored item, for encoding it again: from its files, or from its texts where it has none."""
    for item in items:
        source = Path(item.source)
        if source.is_file():
            entry = Entry(item.id, item.source, stamp(source), files=(source,), fields=_file_fields(source))
            yield replace(entry, digest=_digest(entry))
            continue
        files: dict[Path, set[Modality]] = {}
        for part in item.parts:
            if part.file:
                files.setdefault(Path(part.file), set()).add(part.modality)
        texts = tuple(part for part in item.parts if part.modality is Modality.TEXT and not part.file)
        failed = item.problem and not item.parts and _stands(item.source)
        lost = None if files or texts or failed else f"{item.source} is gone, so it cannot be encoded again"
        entry = Entry(item.id, item.source, item.stamp, tuple(files), texts, item.fields, problem=lost or item.problem)
        sounds = [held == {Modality.AUDIO} and not item.problem for held in files.values()]  # of a film, maybe: no more
        yield replace(entry, wanted=tuple(Modality.AUDIO if only else None for only in sounds))


def news(entries: Iterable[Entry], store: LanceStore, retry: bool, skip: Callable[[], None]) -> Iterator[Entry]:
    """The entries that the store does not hold as they are now; `skip` is called for each of the others.

    A known source keeps its id. A new file with the content of a known one comes with that one's vectors, and takes
    over its id when the known file is gone from its place: then it has moved. With `retry`, a problem is news again.
    """
    for batch in _batches(entries):
        known = store.lookup([entry.source for entry in batch])
        batch = _under_new_names(batch, known, store)
        failed = {i.id for i in store.get([id_ for id_, _ in known.values()]) if i.problem} if retry else set()
        fresh = []
        for entry in batch:
            id_, old_stamp = known.get(entry.source, (entry.id, None))
            if old_stamp is not None and old_stamp == entry.stamp != "" and id_ not in failed:
                skip()
            else:
                fresh.append(replace(entry, id=id_))
        yield from _recognise(fresh, store, known, failed)


def _under_new_names(batch: list[Entry], known: Mapping[str, tuple[str, str]], store: LanceStore) -> list[Entry]:
    """Rows without an id that an earlier version stored under another one bring their vectors along."""
    before = store.lookup([e.formerly for e in batch if e.formerly and e.source not in known])
    same = {e.id: before[e.formerly][0] for e in batch if e.formerly in before and before[e.formerly][1] == e.stamp}
    items = {item.id: item for item in store.get(list(same.values())) if item.parts}
    vectors = store.vectors(list(items))
    held = {new: (items[old], vectors[old]) for new, old in same.items() if old in items}
    return [replace(entry, reuse=held.get(entry.id)) if entry.formerly else entry for entry in batch]


def _recognise(
    fresh: Sequence[Entry], store: LanceStore, known: Mapping[str, tuple[str, str]], failed: set[str]
) -> Iterator[Entry]:
    digests = {entry.source: _digest(entry) for entry in fresh if entry.is_file}
    copies = store.by_digest(sorted({d for d in digests.values() if d}))
    taken = {item.id: item.source for item in store.get([e.id for e in fresh if e.source not in known])}
    moved: set[str] = set()
    for entry in fresh:
        entry = replace(entry, digest=digests.get(entry.source, ""))
        same = [item for item in copies.get(entry.digest, []) if item.id not in failed and item.id not in moved]
        gone = [item for item in same if item.source != entry.source and not Path(item.source).exists()]
        if gone and entry.source not in known:
            moved.add(gone[0].id)
            entry = replace(entry, id=gone[0].id)
        elif entry.is_file and taken.get(entry.id, entry.source) != entry.source:
            entry = replace(entry, id=_id(entry.source + entry.digest))  # its usual id moved away with another file
        elif entry.row and (other := taken.get(entry.id, "")) not in ("", entry.source) and _stands(other):
            said = f"its id '{entry.id}' was that of {other}, whose place it took; give one of them another id"
            entry = replace(entry, problem="; ".join(filter(None, [entry.problem, said])))
        if same:
            like = (gone or same)[0]
            entry = replace(entry, reuse=(like, store.vectors([like.id])[like.id]))
        yield entry


def _stands(source: str) -> bool:
    """Whether a file, or the manifest of a row, is still there."""
    return any(
        Path(place).is_file() for place in (source, *(source[: mark.start()] for mark in re.finditer("#", source)))
    )


def can_be_read_again(item: Item) -> bool:
    """Whether everything that a stored item was made from is still there: its file, or its files and texts."""
    if item.digest:
        return Path(item.source).is_file()
    files = [Path(part.file) for part in item.parts if part.file]
    encoded = [part for part in item.parts if part.modality is not Modality.WHOLE]
    at_hand = [part for part in encoded if part.modality is Modality.TEXT or part.file]
    return bool(encoded) and len(at_hand) == len(encoded) and all(file.is_file() for file in files)


def source_fault(item: Item) -> str | None:
    """What is wrong with the source of an item that was made from a file: gone, or changed since."""
    if not item.digest:
        return None
    source = Path(item.source)
    if not source.exists():
        return f"{source} is gone; `duretrieval index --prune` removes what is gone"
    return f"{source} has changed; index it again" if stamp(source) != item.stamp else None


def count(paths: Iterable[str | Path]) -> int:
    """How many files there are, by walking."""
    return sum(1 for _ in walk(Path(path) for path in paths))


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _printable(name: str) -> str:
    """A file name that is not valid Unicode, with what is not as `\\udcff`: a store keeps only text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _id(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _digest(entry: Entry) -> str:
    try:
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
    return _id("\n".join(parts + [f"{file} {_file_stamp(file)}" for file in row.files]))


def _file_stamp(file: Path) -> str:
    try:
        return stamp(file) if file.exists() else "missing"
    except OSError:
        return "missing"  # decoding will meet the same fault and name it


def _file_fields(path: Path) -> dict[str, Scalar]:
    fields: dict[str, Scalar] = {"name": _printable(path.name), "ext": _printable(path.suffix[1:].lower())}
    try:
        about = path.stat()
    except OSError:
        return fields
    return {**fields, "bytes": about.st_size, "modified": datetime.fromtimestamp(about.st_mtime, UTC)}
