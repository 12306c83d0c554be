"""What there is to index: files, rows of manifests and items at hand, all as entries; and which of them are news."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from duretrieval.media.folders import digest, stamp, walk
from duretrieval.media.manifest import Row, read_manifest
from duretrieval.protocols import Store
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


def from_manifest(path: str | Path, columns: Mapping[str, str] | None = None) -> Iterator[Entry]:
    """An entry a row; `columns` says what a column is where its name does not (see `media.manifest`)."""
    manifest = Path(path).absolute()
    for row in read_manifest(manifest, columns):
        yield Entry(
            id=row.id,
            source=f"{manifest}#{row.id}",
            stamp=_row_stamp(row),
            files=row.files,
            parts=tuple(Part(Modality.TEXT, text) for text in row.texts.values()),
            fields={"kind": "item", **row.fields, "name": _name(row)},
            problem=row.problem,
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
        files = tuple(dict.fromkeys(Path(part.file) for part in item.parts if part.file))
        texts = tuple(part for part in item.parts if part.modality is Modality.TEXT and not part.file)
        lost = None if files or texts else f"{item.source} is gone, so it cannot be encoded again"
        yield Entry(item.id, item.source, item.stamp, files, texts, item.fields, problem=lost or item.problem)


def news(entries: Iterable[Entry], store: Store, retry: bool, skip: Callable[[], None]) -> Iterator[Entry]:
    """The entries that the store does not hold as they are now; `skip` is called for each of the others.

    A known source keeps its id. A new file with the content of a known one comes with that one's vectors, and takes
    over its id when the known file is gone from its place: then it has moved. With `retry`, a problem is news again.
    """
    for batch in _batches(entries):
        known = store.lookup([entry.source for entry in batch])
        failed = {i.id for i in store.get([id_ for id_, _ in known.values()]) if i.problem} if retry else set()
        fresh = []
        for entry in batch:
            id_, old_stamp = known.get(entry.source, (entry.id, None))
            if old_stamp is not None and old_stamp == entry.stamp != "" and id_ not in failed:
                skip()
            else:
                fresh.append(replace(entry, id=id_))
        yield from _recognise(fresh, store, known, failed)


def _recognise(
    fresh: Sequence[Entry], store: Store, known: Mapping[str, tuple[str, str]], failed: set[str]
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
        if same:
            like = (gone or same)[0]
            entry = replace(entry, reuse=(like, store.vectors([like.id])[like.id]))
        yield entry


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
    """What a person calls it: its name, else its title, else its id."""
    return row.name if row.name not in ("", row.id) else row.texts.get("title", row.id)


def _row_stamp(row: Row) -> str:
    """Changes with the row and with the size or time of any of its files."""
    parts = [row.id, row.name, repr(sorted(row.texts.items())), repr(sorted(row.fields.items()))]
    parts += [f"{file} {stamp(file) if file.exists() else 'missing'}" for file in row.files]
    return _id("\n".join(parts))


def _file_fields(path: Path) -> dict[str, Scalar]:
    fields: dict[str, Scalar] = {"name": _printable(path.name), "ext": _printable(path.suffix[1:].lower())}
    try:
        about = path.stat()
    except OSError:
        return fields
    return {**fields, "bytes": about.st_size, "modified": datetime.fromtimestamp(about.st_mtime, UTC)}
