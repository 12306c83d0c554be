"""Keeping a collection sound: what is wrong with it, what can be mended, and another model for all of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from shlex import quote

from duretrieval.collection import record, relations, sources, storable
from duretrieval.collection.changed import BATCH
from duretrieval.collection.ingest import Ingest, Report
from duretrieval.errors import CollectionError, DamagedCollection, ModelError, NotACollection, Untrusted, WouldEmpty
from duretrieval.index.lance import address, place
from duretrieval.index.lance import mend as mending
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.folders import gone as is_gone
from duretrieval.media.limits import Limits
from duretrieval.model.card import check_files
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.types import Item

BACK = Fault("_versions", "the newest version was lost, and with it what was done last; index the same paths again")


def no_collection(path: str | Path) -> NotACollection:
    """The sentence where there is none."""
    return NotACollection(
        f"there is no collection at {path}. Make one with: duretrieval index PATH -c {quote(str(path))}; "
        "or name another with -c or DURETRIEVAL_COLLECTION."
    )


def verify(path: str | Path, model: Model | None = None) -> list[Fault]:
    """What is wrong with the files, vectors and items of the collection at `path`, with their sources and its model.

    It need not open. Where files are damaged, what lies in them is not judged.  model: None is the recorded one.

    Raises:
        NotACollection: there is none.
    """
    uri = _require(path)
    try:
        store = LanceStore.open(uri)
        found = [*_lost_faults(store), *store.verify(store.metadata["fingerprint"])]
    except DamagedCollection as error:
        return damage(uri) or [Fault(str(path), str(error))]
    try:
        found += _source_faults(store)
        found += _relation_faults(store, path, model)
    except DamagedCollection as error:
        found = found or [Fault(str(path), str(error))]
    return [*_model_faults(store, path, model), *found]


def _require(path: str | Path) -> str:
    """Where the store of the collection at `path` lies."""
    uri = place.parts_of(path)
    if not place.exists(uri):
        raise no_collection(path)
    return uri


def _model_faults(store: LanceStore, path: str | Path, model: Model | None) -> Iterator[Fault]:
    """The files of the model that are not those it was sealed with."""
    try:
        folder = (model or record.reopen(store.metadata, path)).folder
        yield from (Fault("model", problem) for problem in (check_files(folder) if folder else ()))
    except ModelError as error:
        yield Fault("model", str(error))


def mend(path: str | Path) -> None:
    """Make a store that opens of what is sound in a damaged one; its journal says what was lost.

    Raises:
        NotACollection: there is none.
        CollectionError: there is nothing to make it of.
        CollectionLocked: another process is writing.
    """
    uri = _require(path)
    if not address.is_address(uri) and mending.damaged(uri):
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
        Ingest(model, store, limits, lambda report: None).run(sources.from_store(again, limits))
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


def _relation_faults(store: LanceStore, path: str | Path, model: Model | None) -> list[Fault]:
    """The items that do not look at the neighbours they have."""
    uri = place.parts_of(path)
    if not relations.there_are_any(store, uri):
        return []
    try:
        return list(relations.faults(store, model or record.reopen(store.metadata, path), uri))
    except (ModelError, Untrusted):
        return []  # what is wrong with the model is said of it


def _source_faults(store: LanceStore) -> Iterator[Fault]:
    """The sources that changed or are gone."""
    for item in store.scan():
        if problem := sources.source_fault(item):
            yield Fault(item.id, problem)


def gone_below(store: LanceStore, roots: Sequence[Path], *, all_of_it: bool) -> list[str]:
    """The ids of the items below the roots whose file is gone.

    Raises:
        WouldEmpty: all of a root would go, or all of a folder that is there and empty, and `all_of_it` does not say so.
    """
    gone: list[str] = []
    lost: Counter[Path] = Counter()
    kept: set[Path] = set()
    for item in store.scan():
        source = storable.path(item.source)
        below = [root for root in roots if source.is_relative_to(root)]
        if not below or not (item.digest or "#" not in item.source):
            continue
        if is_gone(source) and not os.path.lexists(source):  # a link to nothing is a problem that is listed
            gone.append(item.id)
            lost.update({*below, _still_there(source)})
        elif _of_a_store(source):  # indexed by a version that did not know one
            gone.append(item.id)
        elif not os.path.isdir(source):  # noqa: PTH112  (pathlib's raises for a name too long)
            kept.update(root for root in below if root != source)
    emptied = [place for place in lost if (place in roots and place not in kept) or _is_empty(place)]
    if emptied and not all_of_it:
        raise would_empty(f"below {min(emptied)}", lost[min(emptied)], "its files are not there; is a disk not mounted")
    return gone


def rows_gone(store: LanceStore, manifest: str | Path, seen: Container[str], *, all_of_it: bool) -> list[str]:
    """The ids of the items of a manifest whose source is not among those `seen` in it.

    Raises:
        WouldEmpty: all of them would go, and `all_of_it` does not say so.
    """
    root = storable.name(f"{Path(manifest).absolute()}#")
    known = {item.id: item.source in seen for item in store.scan() if item.source.startswith(root)}
    if known and not any(known.values()) and not all_of_it:
        raise would_empty(f"of {manifest}", len(known), "their rows are not there; is it the right file, and whole")
    return [id_ for id_, there in known.items() if not there]


def would_empty(whose: str, n: int, why: str) -> WouldEmpty:
    """The refusal, in a sentence that says how to get it done all the same."""
    items, them = ("the only item", "it is") if n == 1 else (f"all {n:,} items", "they are")
    return WouldEmpty(
        f"{items} {whose} would be removed: {why}? Nothing was removed; if {them} to go: "
        'duretrieval index --prune --yes (in Python: prune="all")'
    )


def _still_there(source: Path) -> Path:
    """The folder nearest to what is gone."""
    return next(folder for folder in source.parents if not is_gone(folder))


def _of_a_store(source: Path) -> bool:
    return any(name.endswith(".lance") for name in source.parts[:-1]) and place.owner(source.parent) is not None


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


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
        report = run.run(sources.from_store(_left(old, new, run.skip), limits))
        new.remove(sorted({item.id for item in new.scan()} - {item.id for item in old.scan()}))
        report.beside, report.unrelated = relations.attend(new, model, uri)
        new.optimize()
    place.replace(uri, beside)
    return report


def _left(old: Store, new: Store, skip: Callable[[], None]) -> Iterator[Item]:
    """The items of `old` that `new` does not hold as they are; `skip` is called for each of the others."""
    items = old.scan()
    while batch := list(islice(items, BATCH)):
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
