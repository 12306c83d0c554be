"""Keeping a collection sound: what is wrong with it, and another model for all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from duretrieval.collection import sources
from duretrieval.collection.ingest import Ingest, Report
from duretrieval.index.lance import place
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.verify import Fault
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model


def faults(store: LanceStore) -> list[Fault]:
    """What is wrong with the vectors and items, and the sources that changed or are gone."""
    found = store.verify(store.metadata["fingerprint"])
    for item in store.scan():
        if problem := sources.source_fault(item):
            found.append(Fault(item.id, problem))
    return found


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
        report = run.run(sources.news(sources.from_store(old.scan()), new, retry=False, skip=run.skip))
        new.optimize()
    place.replace(uri, beside)
    return report
