"""A damaged store, made anew of what can be trusted in it.

Rows are copied from fragments whose files are sound, of the newest version that opens; what was removed since is left
out, and so is an item that lost some of its parts. What was in the other files is told by their own columns where these
can be read, and by the indexes over ids and sources where not, so that it can be indexed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
from lance.file import LanceFileReader
from pyarrow import compute

from duretrieval.errors import CollectionError
from duretrieval.index.lance import address, journal, place, schema
from duretrieval.index.lance.damage import damage, files_of, newest, versions, written
from duretrieval.index.lance.failures import is_failure
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.journal import Journal
from duretrieval.index.lance.saying import saying
from duretrieval.index.lance.verify import readable


def damaged(uri: str | Path) -> bool:
    """Whether a file of the store at `uri` is damaged or missing, or some row of it cannot be read."""
    unreadable: list[Fault] = []
    if damage(uri) or (data := newest(place.folder(uri), ())) is None:
        return True
    for _ in readable(data, unreadable, ()):
        pass
    return bool(unreadable)


def mend(uri: str | Path) -> None:
    """Put a sound store in the place of the damaged one at `uri`; its journal says what it lacks.

    Raises:
        CollectionLocked: another process is writing.
        CollectionError: it lies in object storage; or nothing of it says what it held.
    """
    folder = place.folder(uri)
    lock = place.lock(uri)
    assert lock is not None
    beside = f"{folder}.mended"
    try:
        with saying(uri):
            _mend(folder, beside)
    finally:
        place.discard(beside)  # where the disk was full, say
        lock.release()


def _mend(folder: Path, beside: str) -> None:
    damaged = {fault.subject for fault in damage(folder)}
    record = journal.read(folder) or journal.Record(damaged=True)
    data = newest(folder, damaged)
    table = _table(folder, data, record)
    unread: list[Fault] = []
    last = max([written(record.files), *(version for version, _ in versions(folder))])
    back = data is None or data.version < last
    kept, broken = _whole_items(data, damaged, unread) if data is not None else (set[str](), dict[str, str]())
    # What the newest version holds was not removed, or came again, and a kill kept that out of the journal. A damaged
    # one does not say which is the newest.
    removed = record.removed if back or record.damaged else record.removed - kept - broken.keys()
    kept -= removed
    place.discard(beside)
    rows = _rows(data, damaged, kept) if data is not None else iter(())
    lance.write_dataset(
        pa.RecordBatchReader.from_batches(table, rows), address.location(beside), schema=table, mode="create"
    )
    traces = dict(record.lost)
    if back or unread or any(name in damaged for part in data.get_fragments() for name in files_of(part)):
        traces |= {**_indexed(folder, data), **_dead(folder)}
    lost = {id_: source for id_, source in {**traces, **broken}.items() if id_ not in kept | removed}
    known = journal.Record(removed=removed, lost=lost, back=back or record.back)
    stored = {key.decode(): value.decode() for key, value in (table.metadata or {}).items()}
    stored.pop(schema.FORMAT_KEY, None)
    dim = table.field("_vector").type.list_size
    Journal(Path(beside)).begin(dim, stored, complete=record.complete, mended=known)
    place.replace(folder, beside)


def _table(folder: Path, data: Any, record: journal.Record) -> pa.Schema:
    if data is not None:
        return data.schema
    if not record.store:
        raise CollectionError(
            f"nothing in {place.shown(folder)} says what it held, so it cannot be mended; move it away, and index again"
        )
    return schema.schema(record.store["dim"], record.store["metadata"])


def _whole_items(data: Any, damaged: Collection[str], unread: list[Fault]) -> tuple[set[str], dict[str, str]]:
    """The ids with every part once, and id -> source of those without, among the rows that can be read."""
    rows: Counter[str] = Counter()
    wanted: dict[str, int] = {}
    sources: dict[str, str] = {}
    for batch in readable(data, unread, damaged):
        for row in batch.select(["_item", "_parts", "source"]).to_pylist():
            rows[row["_item"]] += 1
            wanted[row["_item"]] = max(1, row["_parts"])
            sources[row["_item"]] = row["source"]
    whole = {id_ for id_, n in rows.items() if n == wanted[id_]}
    return whole, {id_: source for id_, source in sources.items() if id_ not in whole}


def _rows(data: Any, damaged: Collection[str], kept: Collection[str]) -> Iterator[pa.RecordBatch]:
    ids: Any = pa.array(sorted(kept), pa.string())
    for batch in readable(data, [], damaged):
        chosen = batch.filter(compute.is_in(batch.column("_item"), value_set=ids))
        yield pa.RecordBatch.from_arrays(chosen.columns, schema=data.schema)


def _dead(folder: Path) -> dict[str, str]:
    """id -> source of every row in any file of data, whatever became of it; the place that is there, of several."""
    found: dict[str, str] = {}
    for path in sorted((folder / "data").glob("*.lance")):
        for row in _read(path, ["_item", "source"]):
            if isinstance(row["_item"], str) and isinstance(row["source"], str):
                known = found.setdefault(row["_item"], row["source"])
                if known != row["source"] and not Path(known).exists():
                    found[row["_item"]] = row["source"]
    return found


def _indexed(folder: Path, data: Any) -> dict[str, str]:
    """The same of every row in the indexes over ids and sources, which outlive files of data."""
    columns: dict[str, dict[int, str]] = {"_item": {}, "source": {}}
    for index in data.describe_indices() if data is not None else ():
        rows = columns.get(index.field_names[0], {})
        for part in index.segments:
            for row in _read(folder / "_indices" / str(part.uuid) / "page_data.lance", ["values", "ids"]):
                rows[row["ids"]] = row["values"]
    sources = columns["source"]
    return {id_: sources[at] for at, id_ in columns["_item"].items() if at in sources}


def _read(path: Path, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a file of Lance's own; none where it cannot be read."""
    try:
        return LanceFileReader(str(path), columns=columns).read_all().to_table().to_pylist()  # type: ignore[no-any-return]
    except BaseException as error:
        if not is_failure(error):
            raise
        return []
