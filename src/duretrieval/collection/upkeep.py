"""Keeping a collection sound: what is wrong with it, and another model for all of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from duretrieval.collection import sources, storable
from duretrieval.collection.ingest import Ingest, Report
from duretrieval.errors import WouldEmpty
from duretrieval.index.lance import place
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.verify import Fault
from duretrieval.media.folders import gone as is_gone
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model


def faults(store: LanceStore) -> list[Fault]:
    """What is wrong with the vectors and items, and the sources that changed or are gone."""
    found = store.verify(store.metadata["fingerprint"])
    for item in store.scan():
        if problem := sources.source_fault(item):
            found.append(Fault(item.id, problem))
    return found


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
    """Encode everything in `old`, which lies at `uri`, again, and put the result in its place.

    The new vectors gather in a store beside the old one, which goes on answering. A migration that was interrupted goes
    on where it stopped; one that was begun with another model is dropped.
    """
    beside = f"{uri}.next"
    if place.exists(beside) and LanceStore.open(beside).metadata["fingerprint"] != model.fingerprint:
        place.discard(beside)
    if not place.exists(beside):
        LanceStore.create(beside, model.dim, metadata).close()
    with LanceStore.open(beside, write=True) as new:
        run = Ingest(model, new, limits, progress, workers)
        report = run.run(sources.news(sources.from_store(old.scan(), limits), new, False, run.skip, limits))
        new.optimize()
    place.replace(uri, beside)
    return report
