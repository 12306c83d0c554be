"""What there is to index: files, rows of manifests and items at hand, all as entries; and which of them are news."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from duretrieval.collection import storable
from duretrieval.collection.copies import Copies
from duretrieval.errors import MediaError
from duretrieval.index.lance import place
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.folders import Source, digest, gone, look, stamp, walk
from duretrieval.media.limits import Limits
from duretrieval.media.manifest import Row, read_manifest
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
        return len(self.files) == 1 and storable.name(self.files[0]) == self.source


def from_paths(paths: Iterable[str | Path]) -> Iterator[Entry]:
    """An entry a file, for files and folders; what a collection consists of is passed over.

    Raises:
        MediaError: a path does not exist, or leads into a collection.
    """
    return (_file_entry(found) for found in _walk(paths))


def from_manifest(path: str | Path, columns: Mapping[str, str] | None = None) -> Iterator[Entry]:
    """An entry a row; `columns` says what a column is where its name does not (see `media.manifest`)."""
    manifest = Path(path).absolute()
    for row in read_manifest(manifest, columns):
        yield Entry(
            id=storable.name(row.id),
            source=storable.name(f"{manifest}#{row.id}"),
            stamp=_row_stamp(row),
            files=row.files,
            parts=tuple(Part(Modality.TEXT, text) for text in row.texts.values()),
            fields={"kind": "item", **row.fields, "name": _name(row)},
            problem=row.problem,
        )


def from_items(items: Iterable[Item]) -> Iterator[Entry]:
    """An entry an item; parts whose content is a path become files."""
    for item in items:
        parts = [storable.part(part) for part in item.parts if part.modality is not Modality.WHOLE]
        yield Entry(
            id=storable.name(item.id),
            source=storable.name(item.source),
            stamp=storable.name(item.stamp),
            files=tuple(part.content for part in parts if isinstance(part.content, Path)),
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
            yield replace(found, digest=_digest(found, limits))
            continue
        files = tuple(dict.fromkeys(storable.path(part.file) for part in item.parts if part.file))
        texts = tuple(part for part in item.parts if part.modality is Modality.TEXT and not part.file)
        lost = None if files or texts else f"{item.source} is gone, so it cannot be encoded again"
        yield Entry(item.id, item.source, item.stamp, files, texts, item.fields, problem=lost or item.problem)


def news(
    entries: Iterable[Entry], store: LanceStore, retry: bool, skip: Callable[[], None], limits: Limits
) -> Iterator[Entry]:
    """The entries that the store does not hold as they are now; `skip` is called for each of the others.

    A known source keeps its id. A new file with the content of a known one comes with that one's vectors, and takes
    over its id when the known file is gone from its place: then it has moved. With `retry`, a problem is news again.
    """
    copies = Copies(store, usable=retry)
    for batch in _batches(entries):
        known = store.lookup([entry.source for entry in batch])
        failed = {i.id for i in store.get([id_ for id_, _ in known.values()]) if i.problem} if retry else set()
        fresh = []
        for entry in batch:
            id_, old_stamp = known.get(entry.source, (entry.id, None))
            if old_stamp is not None and old_stamp == entry.stamp != "" and id_ not in failed:
                skip()
            else:
                fresh.append(replace(entry, id=id_, digest=entry.digest or _digest(entry, limits)))
        yield from _recognise(fresh, store, known, copies)


def _recognise(
    fresh: Sequence[Entry], store: LanceStore, known: Mapping[str, tuple[str, str]], copies: Copies
) -> Iterator[Entry]:
    copies.learn(entry.digest for entry in fresh)
    taken = {item.id: item.source for item in store.get([e.id for e in fresh if e.source not in known])}
    for entry in fresh:
        moved = None if entry.source in known else copies.moved(entry.digest, entry.source)
        if moved:
            entry = replace(entry, id=moved)
        elif entry.is_file and taken.get(entry.id, entry.source) != entry.source:
            entry = replace(entry, id=_id(entry.source + entry.digest))  # its usual id moved away with another file
        yield replace(entry, reuse=copies.like(entry.digest, moved))


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
        id=_id(str(path)),
        source=storable.name(path),
        stamp=found.stamp,
        files=() if found.problem else (path,),
        fields=_file_fields(found),
        problem=found.problem,
    )


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _id(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _digest(entry: Entry, limits: Limits) -> str:
    """Of an item that is one file, and one that will be read; an empty file may be one that lies about its size."""
    try:
        if not entry.is_file or not 0 < entry.files[0].stat().st_size <= limits.max_bytes:
            return ""
        return digest(entry.files[0])
    except OSError:
        return ""  # decoding will meet the same fault and name it


def _name(row: Row) -> str:
    """What a person calls it: its name, else its title, else its id."""
    return row.name if row.name not in ("", row.id) else row.texts.get("title", row.id)


def _row_stamp(row: Row) -> str:
    """Changes with the row and with the size or time of any of its files."""
    parts = [row.id, row.name, repr(sorted(row.texts.items())), repr(sorted(row.fields.items()))]
    parts += [f"{file} {_stamp(file)}" for file in row.files]
    return _id(storable.name("\n".join(parts)))


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
