"""Items beside items: the relations that a collection knows, and wholes that look at their neighbours.

Relations come from the rows themselves (the field `related`), and from a file that was given, which is kept beside the
store.  A neighbour counts by what its own parts hold and not by its whole, so that a whole follows from the parts of an
item and of its neighbours, in whatever order they came; `attend` brings all of them up to date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from duretrieval import whole
from duretrieval.collection import storable
from duretrieval.errors import CollectionError, ConfigError
from duretrieval.fuse.graph import beside, middle
from duretrieval.fuse.means import means
from duretrieval.index.lance import address
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.relations import RELATED, Found, Neighbours, Relation, of_field, read_relations
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.types import Array, Item, Modality

FILE = ".relations.jsonl"
"""Beside the store; hidden, so that no folder with a collection in it has it among its files."""
BATCH = 256
"""Items whose wholes are made at a time."""
SAME = 1e-5
"""How far a component of a vector may be from what it should be."""


def read(path: str | Path, model: Model, uri: str) -> list[Relation]:
    """The relations in a file that a user gives, with the paths of files whole.

    Raises:
        ConfigError: the model looks at no neighbours, or the file cannot be used; as `read_relations`.
        CollectionError: the collection has no folder to keep them in.
    """
    path = Path(path)
    if not model.kinds:
        raise ConfigError(
            f"model {model.name!r} looks at no neighbours, so relations change nothing; take a model that was trained "
            "with some (docs/fusion.md), or leave --relations out"
        )
    if address.is_address(uri):
        raise CollectionError(f"{uri} lies in object storage, which keeps no relations; give rows a column `related`")
    found = read_relations(path)
    if found.problems:
        raise ConfigError(
            f"{len(found.problems):,} of its lines cannot be used: {found.problems[0]}. Nothing was changed; correct it"
        )
    folder = path.absolute().parent
    names = {name for relation in found.relations for name in (relation.item, relation.other)}
    known = {name: storable.name(folder / name if _is_file(folder / name) else name) for name in names}
    return [Relation(known[r.item], known[r.other], r.kind) for r in found.relations]


def keep(uri: str, relations: Sequence[Relation]) -> None:
    """Put these in the place of those that an earlier file said; the caller may write to the store."""
    place = _place(uri)
    if place is None:
        return
    if not relations:
        place.unlink(missing_ok=True)
        return
    rows = ({"item": r.item, "other": r.other, "kind": r.kind} for r in relations)
    whole.write(place, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def there_are_any(store: Store, uri: str) -> bool:
    """Whether a row or a file says that items are related."""
    place = _place(uri)
    return RELATED in store.fields() or (place is not None and place.is_file())


def attend(store: LanceStore, model: Model, uri: str) -> tuple[int, list[str]]:
    """Make the whole of every item what it is beside the neighbours that it has now.

    Returns how many items have neighbours, and what of the relations is not used, in sentences. Where those that are
    kept are damaged, which is such a sentence, wholes stay as they are.
    """
    if not model.kinds:
        return 0, []
    said, damage = _kept(uri)
    if damage:
        return 0, [damage]
    ids, neighbours = _neighbours(store, model, said)
    for items, vectors in _changed(store, model, ids, neighbours):
        store.add(items, vectors, model.fingerprint)
    return len(neighbours.around), neighbours.problems()


def faults(store: LanceStore, model: Model, uri: str) -> Iterator[Fault]:
    """The items whose whole is another than their neighbours make of it."""
    if not model.kinds:
        return
    said, damage = _kept(uri)
    if damage:
        yield Fault(FILE, damage)
        return
    ids, neighbours = _neighbours(store, model, said)
    for items, _ in _changed(store, model, ids, neighbours):
        for item in items:
            yield Fault(item.id, "its vector is not that of it beside its neighbours; index anything again")


def _neighbours(store: LanceStore, model: Model, kept: Sequence[Relation]) -> tuple[list[str], Neighbours]:
    """All ids, and who is beside whom by what is kept and what the items say themselves."""
    ids: list[str] = []
    said = [*kept]
    for item in store.scan():
        ids.append(item.id)
        said += of_field(item.id, item.fields.get(RELATED))
    there = set(ids)
    strange = dict.fromkeys(name for r in said for name in (r.item, r.other) if name not in there)
    named = {source: id_ for source, (id_, _) in store.lookup(list(strange)).items()}
    found = (Relation(named.get(r.item, r.item), named.get(r.other, r.other), r.kind) for r in said)
    return ids, Neighbours.of(found, model.kinds, ids)


def _changed(
    store: LanceStore, model: Model, ids: Sequence[str], neighbours: Neighbours
) -> Iterator[tuple[list[Item], list[Array]]]:
    """Items whose whole is to become another, with all their vectors as they should be; some at a time."""
    most = model.fusion.neighbours  # type: ignore[union-attr]
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        around = {id_: neighbours.of_item(id_, most) for id_ in batch}
        own, others = _parts(store, batch), {other for those in around.values() for other, _ in those}
        held = {id_: rows for id_, (_, _, rows) in _parts(store, sorted(others)).items()}
        middles = {id_: middle(rows) for id_, rows in held.items() if rows}
        items, vectors = [], []
        for kinds in {frozenset(rows) for _, _, rows in own.values() if rows}:  # those of like modalities at once
            alike = [id_ for id_, (_, _, rows) in own.items() if frozenset(rows) == kinds]
            stacked = {m: np.concatenate([own[id_][2][m] for id_ in alike]) for m in kinds}
            seen = [[(middles[o], kind) for o, kind in around[id_] if o in middles] for id_ in alike]
            for id_, row in zip(alike, model.fuse(stacked, beside(seen, model.dim)), strict=True):
                item, old, _ = own[id_]
                if _has_whole(item) and row.any() and float(np.abs(old[-1] - row).max()) > SAME:
                    items.append(item)
                    vectors.append(np.concatenate([old[:-1], row[None]]))
        if items:
            yield items, vectors


def _parts(store: LanceStore, ids: Sequence[str]) -> dict[str, tuple[Item, Array, dict[Modality, Array]]]:
    """id -> the item, its vectors, and of each modality the mean of its parts."""
    vectors = store.vectors(ids)
    found = {}
    for item in store.get(ids):
        rows = vectors[item.id]
        at = [i for i, part in enumerate(item.parts) if part.modality is not Modality.WHOLE]
        found[item.id] = (item, rows, means([item.parts[i].modality for i in at], rows[at]))
    return found


def _has_whole(item: Item) -> bool:
    return bool(item.parts) and item.parts[-1].modality is Modality.WHOLE


def _kept(uri: str) -> tuple[list[Relation], str | None]:
    """What a file said that was given, or why that cannot be read any more."""
    place = _place(uri)
    if place is None or not place.is_file():
        return [], None
    try:
        found = read_relations(place)
        why = next(iter(found.problems), None)
    except ConfigError as error:
        found, why = Found(()), str(error)
    again = "give their file again: duretrieval index PATHS --relations FILE"
    return list(
        found.relations
    ), f"the relations that the collection keeps are damaged ({why}); {again}" if why else None


def _place(uri: str) -> Path | None:
    folder = address.folder(uri)
    return None if folder is None else folder.with_name(FILE)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # an id that no path may be
        return False
