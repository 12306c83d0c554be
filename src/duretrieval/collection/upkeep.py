"""Keeping a collection sound: what is wrong with it, what can be mended, and another model for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from duretrieval.collection import sources
from duretrieval.collection.ingest import Ingest, Report
from duretrieval.errors import CollectionError, DamagedCollection, NotACollection
from duretrieval.index.lance import mend as mending
from duretrieval.index.lance import place
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.types import Item

BACK = Fault("_versions", "the newest version was lost, and with it what was done last; index the same paths again")


def require(path: str | Path) -> None:
    """Return where there is a collection at `path`.

    Raises:
        NotACollection: there is none; the message says how to make one.
    """
    if not place.exists(place.parts_of(path)):
        raise NotACollection(
            f"there is no collection at {path}. Make one with: duretrieval index PATH -c {path}; "
            "or name another with -c or DURETRIEVAL_COLLECTION."
        )


def verify(path: str | Path) -> list[Fault]:
    """What is wrong with the files, vectors and items of the collection at `path`, and with their sources.

    It need not open. Where files are damaged, what lies in them is not judged.

    Raises:
        NotACollection: there is none.
    """
    require(path)
    uri = place.parts_of(path)
    try:
        store = LanceStore.open(uri)
        found = [*_lost_faults(store), *store.verify(store.metadata["fingerprint"])]
    except DamagedCollection as error:
        return damage(uri) or [Fault(str(path), str(error))]
    try:
        found += _source_faults(store)
    except DamagedCollection as error:
        found = found or [Fault(str(path), str(error))]
    return found


def mend(path: str | Path) -> None:
    """Make a store that opens of what is sound in a damaged one; its journal says what was lost.

    Raises:
        NotACollection: there is none.
        CollectionError: there is nothing to make it of.
        CollectionLocked: another process is writing.
    """
    require(path)
    uri = place.parts_of(path)
    if "://" not in uri and mending.damaged(uri):
        mending.mend(uri)


def repair(store: LanceStore, model: Model, limits: Limits) -> list[Fault]:
    """Index again every item with a fault, and every lost one, whose source is there; returns what cannot be.

    `verify` says afterwards what faults are left.
    """
    broken = {fault.subject for fault in [*store.verify(store.metadata["fingerprint"]), *_source_faults(store)]}
    known = store.record
    again = [item for item in store.get(sorted(broken)) if sources.can_be_read_again(item)]  # the others keep theirs
    if known.complete:  # else it may have been removed
        lost = _lost(store)
        again += [Item(id_, source) for id_, source in lost.items() if Path(source).is_file()]
    if again:
        Ingest(model, store, limits, lambda report: None).run(sources.from_store(again))
    store.optimize()
    return list(_lost_faults(store))


def _lost(store: LanceStore) -> dict[str, str]:
    """id -> source of what was lost and is not there again."""
    lost = store.record.lost
    there = {item.id for item in store.get(sorted(lost))}
    return {id_: source for id_, source in sorted(lost.items()) if id_ not in there}


def _lost_faults(store: LanceStore) -> Iterator[Fault]:
    if store.record.back:
        yield BACK
    for source in sorted(set(_lost(store).values())):
        what, _, row = source.rpartition("#")
        again = f"index {what} again" if what and row and Path(what).is_file() else "index it again"
        if store.record.complete:
            yield Fault(source, f"was lost with a damaged file; {again}")
        else:
            yield Fault(source, f"was lost with a damaged file, or removed before; {again} if it belongs here")


def _source_faults(store: LanceStore) -> Iterator[Fault]:
    """The sources that changed or are gone."""
    for item in store.scan():
        if problem := sources.source_fault(item):
            yield Fault(item.id, problem)


def migrate(
    old: LanceStore,
    uri: str,
    model: Model,
    metadata: Mapping[str, str],
    limits: Limits,
    progress: Callable[[Report], None],
    workers: int | None,
) -> Report:
    """Encode everything in `old`, which lies at `uri` and is open for writing, again, and put the result in its place.

    The new vectors gather in a store beside the old one, which goes on answering. A migration that was interrupted goes
    on where it stopped; one that was begun with another model, or is damaged, is dropped. What was removed meanwhile
    is removed.
    """
    beside = f"{uri}.next"
    if not _goes_on(beside, model):
        place.discard(beside)
        LanceStore.create(beside, model.dim, metadata).close()
    with LanceStore.open(beside, write=True) as new:
        run = Ingest(model, new, limits, progress, workers)
        report = run.run(sources.from_store(_left(old, new, run.skip)))
        new.remove(sorted({item.id for item in new.scan()} - {item.id for item in old.scan()}))
        new.optimize()
    place.replace(uri, beside)
    return report


def _left(old: Store, new: Store, skip: Callable[[], None]) -> Iterator[Item]:
    """The items of `old` that `new` does not hold as they are; `skip` is called for each of the others."""
    items = old.scan()
    while batch := list(islice(items, sources.BATCH)):
        done = {item.id: item.stamp for item in new.get([item.id for item in batch])}
        for item in batch:
            if item.stamp and done.get(item.id) == item.stamp:
                skip()
            else:
                yield item


def _goes_on(beside: str, model: Model) -> bool:
    """Whether a migration to `model` was begun there that can be gone on with."""
    try:
        return place.exists(beside) and LanceStore.open(beside).metadata["fingerprint"] == model.fingerprint
    except CollectionError:
        return False
