"""Which of what there is to index has changed: not stored yet, changed since, or moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from duretrieval.collection.copies import Copies
from duretrieval.collection.sources import Entry, digest_of, id_of, stands
from duretrieval.media.limits import Limits
from duretrieval.protocols import Store

BATCH = 1000
"""Entries looked up in the store at a time."""


def changed(
    entries: Iterable[Entry], store: Store, retry: bool, skip: Callable[[], None], limits: Limits
) -> Iterator[Entry]:
    """The entries that the store does not hold as they are now; `skip` is called for each of the others.

    A known source keeps its id. A new file with the content of a known one comes with that one's vectors, and takes
    over its id when the known file is gone from its place: then it has moved. With `retry`, a problem has changed.
    """
    copies = Copies(store, usable=retry)
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
                fresh.append(replace(entry, id=id_, digest=entry.digest or digest_of(entry, limits)))
        yield from _recognise(fresh, store, known, copies)


def _under_new_names(batch: list[Entry], known: Mapping[str, tuple[str, str]], store: Store) -> list[Entry]:
    """Rows without an id that an earlier version stored under another one bring their vectors along."""
    before = store.lookup([e.formerly for e in batch if e.formerly and e.source not in known])
    same = {e.id: before[e.formerly][0] for e in batch if e.formerly in before and before[e.formerly][1] == e.stamp}
    items = {item.id: item for item in store.get(list(same.values())) if item.parts}
    vectors = store.vectors(list(items))
    held = {new: (items[old], vectors[old]) for new, old in same.items() if old in items}
    return [replace(entry, reuse=held.get(entry.id)) if entry.formerly else entry for entry in batch]


def _recognise(
    fresh: Sequence[Entry], store: Store, known: Mapping[str, tuple[str, str]], copies: Copies
) -> Iterator[Entry]:
    copies.learn(entry.digest for entry in fresh)
    taken = {item.id: item.source for item in store.get([e.id for e in fresh if e.source not in known])}
    for entry in fresh:
        moved = None if entry.source in known else copies.moved(entry.digest, entry.source)
        if moved:
            entry = replace(entry, id=moved)
        elif entry.is_file and taken.get(entry.id, entry.source) != entry.source:
            entry = replace(entry, id=id_of(entry.source + entry.digest))  # its usual id moved away with another file
        elif entry.row and (other := taken.get(entry.id, "")) not in ("", entry.source) and stands(other):
            said = f"its id '{entry.id}' was that of {other}, whose place it took; give one of them another id"
            entry = replace(entry, problem="; ".join(filter(None, [entry.problem, said])))
        yield replace(entry, reuse=copies.like(entry.digest, moved) or entry.reuse)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        yield batch
