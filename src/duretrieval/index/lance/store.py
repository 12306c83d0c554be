"""The store: items, parts and vectors in one Lance dataset, the source of truth of a collection.

A batch is one commit; a reader sees all of it or nothing, and always the newest. Any number of processes may read while
one writes. How items become rows: `schema`. Upkeep (compaction, indexes, old versions): `upkeep`.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import lance
from filelock import FileLock

from duretrieval.errors import CollectionError, NotACollection, ShapeError
from duretrieval.index.lance import address, damage, journal, place, scan, schema
from duretrieval.index.lance import rows as lance_rows
from duretrieval.index.lance import upkeep as lance_upkeep
from duretrieval.index.lance.journal import Journal
from duretrieval.index.lance.reader import LanceReader
from duretrieval.index.lance.saying import damaged, moved, saying
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.types import Array, Item

_INDEX_CACHE = 512 << 20  # bytes; Lance's own default is 6 GiB
_FILE_CACHE = 32 << 20


class LanceStore(LanceReader):
    """Opened for reading, or by one process at a time for writing; close it, or use it in a `with`.

    uri: a folder, or object storage as Lance knows it (`s3://bucket/name`).
    """

    def __init__(
        self, uri: str | Path, *, lock: FileLock | None = None, writable: bool = False, upkeep: Upkeep | None = None
    ) -> None:
        self._lock = lock
        self._writable = writable
        self._upkeep = upkeep or Upkeep()
        self._writing = threading.Lock()
        self._journal = Journal(Path(uri)) if lock else None
        _keep_few_arenas()
        super().__init__(str(uri), *_opened(uri))
        self._commits = lance_upkeep.loose(self._data, self._upkeep)

    @classmethod
    def create(
        cls, uri: str | Path, dim: int, metadata: Mapping[str, str], *, upkeep: Upkeep | None = None
    ) -> LanceStore:
        """Make an empty store for vectors of `dim` components and open it for writing.

        metadata: text that stays with the store, such as the name and fingerprint of its model.

        Raises:
            CollectionError: there is one already, or it cannot be written.
            NotACollection: something else is there.
            CollectionLocked: another process is making one at this moment.
        """
        place.require_room(uri)
        lock = place.lock(uri)
        try:
            place.clear(uri)
            with saying(uri):
                lance.write_dataset(schema.schema(dim, metadata).empty_table(), address.location(uri), mode="create")
                store = cls(uri, lock=lock, writable=True, upkeep=upkeep)
                store._begin()
                return store
        except BaseException:
            if lock:
                lock.release()
            raise

    @classmethod
    def open(cls, uri: str | Path, *, write: bool = False, upkeep: Upkeep | None = None) -> LanceStore:
        """Open what `create` made.

        Raises:
            NotACollection: nothing, or something else, is there.
            CollectionError: a newer version of this package made it, or it keeps its data elsewhere.
            CollectionLocked: `write` is asked for, and another process has it.
            DamagedCollection: it cannot be read, or the newest version is gone.
        """
        place.require(uri)
        lock = place.lock(uri) if write else None
        try:
            with saying(uri):
                record = _recorded(uri)  # before: a writer adds to it after
                store = cls(uri, lock=lock, writable=write, upkeep=upkeep)
                _require_format(store._data.schema.metadata or {}, uri)
                _require_inside(store._data.base_paths().values(), uri)
                _require_newest(store._data, record, uri, write)
                store._begin()
                return store
        except BaseException as error:
            if lock:
                lock.release()
            if address.is_address(uri) and "was not found" in str(error.__cause__):
                raise NotACollection(f"there is nothing at {uri}; index something into it first") from error
            raise

    def close(self) -> None:
        """Give up the right to write, once what another thread is writing is written; the store can still be read."""
        with self._writing:
            self._writable = False
            if self._lock:
                self._lock.release()

    def __enter__(self) -> LanceStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LanceStore({self._uri!r}, dim={self.dim}, version={self.version})"

    def add(self, items: Sequence[Item], vectors: Sequence[Array], model: str, /) -> None:
        """Keep `items`, each replacing the one of its id whole, in one commit; of two with one id the last stays.

        vectors[i]: (parts of item i, dim) float32 unit rows.  model: the fingerprint of what made them.

        Raises:
            ShapeError: vectors of another shape, not finite, or not of length 1; nothing is kept.
            ConfigError: a field that cannot be kept; the message names field and item, and nothing is kept.
            CollectionError: the store is open for reading only.
        """
        if len(items) != len(vectors):
            raise ShapeError(f"got {len(items)} items and vectors for {len(vectors)}; give one array for each item")
        last = {
            item.id: (item, lance_rows.checked(item, rows, self.dim)) for item, rows in zip(items, vectors, strict=True)
        }
        with self._changing() as data:
            if last:
                self._merge(data, [item for item, _ in last.values()], [rows for _, rows in last.values()], model)
                if self._journal:
                    self._journal.came(last)
                self._committed(data)

    def remove(self, ids: Sequence[str], /) -> int:
        """Drop items; returns how many were there."""
        with self._changing() as data:
            known = scan.ids(data, "_item", ids)
            if known and self._journal:
                self._journal.removing(known)
            for chunk in scan.chunks(known):
                data.delete(scan.one_of("_item", chunk))
            if known:
                self._committed(data)
        return len(known)

    @property
    def record(self) -> journal.Record:
        """What the journal says: what was removed, and what was lost when the store was mended."""
        if self._journal:
            return self._journal.record
        return _recorded(self._uri) or journal.Record()

    def told(self) -> None:
        """Forget what was lost, since somebody knows."""
        with self._changing():
            if self._journal:
                self._journal.told()

    def optimize(self) -> None:
        """Merge small files, bring indexes up to date, and drop old versions; searching goes on meanwhile."""
        with self._changing() as data:
            self._tidy(data)

    def _merge(self, data: Any, items: Sequence[Item], vectors: Sequence[Array], model: str) -> None:
        lance_upkeep.grow(data, schema.grown(schema.user_fields(data.schema), items))
        rows = lance_rows.table(items, vectors, model, data.schema)
        merge = data.merge_insert("_id").when_matched_update_all().when_not_matched_insert_all()
        known = scan.ids(data, "_item", [item.id for item in items])
        if known:  # what an item no longer has goes in the same commit
            merge = merge.when_not_matched_by_source_delete(scan.one_of("_item", known))
        merge.execute(rows)

    def _begin(self) -> None:
        if self._journal:
            self._journal.begin(self.dim, self.metadata, complete=self._data.version == 1)
            record = self._journal.record
            if self._data.version > damage.written(record.files):  # a kill came between a commit and its lines
                self._journal.came(scan.ids(self._data, "_item", record.removed))

    @contextmanager
    def _changing(self) -> Iterator[Any]:
        """One thread at a time, with a handle of the newest version that no reading one shares; a commit moves it."""
        with self._writing, saying(self._uri, self._seen):
            if not self._writable:
                raise CollectionError(f"{self._uri} is open for reading only; open it with write=True to change it")
            if not self._seen.there():
                raise moved(self._uri)
            yield self._data.checkout_version(self._data.latest_version)

    def _committed(self, data: Any) -> None:
        self._data = data
        self._commits += 1
        if self._commits >= self._upkeep.after_commits:
            self._tidy(data.checkout_version(data.version))
        elif self._journal:
            self._journal.commit()

    def _require_sound(self, fragments: Iterable[Any]) -> None:
        """Rows that were damaged would else be written anew, under a hash that says nothing of it."""
        known = self.record.files
        read = {name: known[name] for part in fragments for name in damage.files_of(part) if name in known}
        for name, problem in damage.changed(Path(self._uri), read):
            raise damaged(self._uri, f"{name} {problem}")

    def _tidy(self, data: Any) -> None:
        if self._journal:
            self._require_sound(lance_upkeep.to_merge(data, self._upkeep))
        lance_upkeep.optimize(data, self._upkeep, alone=self._lock is not None)
        if self._journal:
            self._journal.tidy()
        self._data = data
        self._commits = 0


def _recorded(uri: str | Path) -> journal.Record | None:
    folder = address.folder(uri)
    return journal.read(folder) if folder else None


def _opened(uri: str | Path) -> tuple[Any, place.Seen]:
    try:
        return _open(uri)
    except (OSError, ValueError):  # another process may be in the middle of replacing it: then wait for that
        place.require(uri)
        return _open(uri)


def _open(uri: str | Path) -> tuple[Any, place.Seen]:
    seen = place.Seen(uri)
    return lance.dataset(
        address.location(uri), index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_FILE_CACHE
    ), seen


def _require_newest(data: Any, record: journal.Record | None, uri: str | Path, write: bool) -> None:
    """Lance takes the version before for the newest where that one is gone, and with it what had been removed."""
    if record and data.version < damage.written(record.files):
        raise damaged(uri, f"version {damage.written(record.files)} of it is gone")
    if record and write and record.damaged:
        raise damaged(uri, f"{journal.JOURNAL}, which says what was removed, cannot be read")


def _require_format(metadata: Mapping[bytes, bytes], uri: str | Path) -> None:
    found = metadata.get(schema.FORMAT_KEY.encode())
    if found is None:
        raise NotACollection(f"{uri} is a Lance dataset that something else made; give the folder that `index` made")
    if found.decode() != schema.FORMAT:
        raise CollectionError(
            f"{uri} has store format {found.decode()}, and this version reads {schema.FORMAT}; "
            "upgrade duretrieval, or index again into another folder"
        )


def _require_inside(bases: Iterable[Any], uri: str | Path) -> None:
    """A dataset of Lance may say that its files lie at any address, on the network too; ours never do."""
    for base in bases:
        raise CollectionError(f"{uri} says that its data lies at {base.path}; a collection has all its data in it")


_M_ARENA_MAX = -8
_ARENAS = 2


@cache
def _keep_few_arenas() -> None:
    """Limit the heaps of this process, once; nothing where the C library has no such setting.

    glibc gives every thread a heap of its own ("arena"), up to eight a core, and keeps what was freed in each. Lance
    compacts on many threads, so that tidying 20,000 rows left 46 MB behind with all of them and 19 MB with two.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(_M_ARENA_MAX, _ARENAS)
