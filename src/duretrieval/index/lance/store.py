"""The store: items, parts and vectors in one Lance dataset, the source of truth of a collection.

A batch is one commit; a reader sees all of it or nothing, and always the newest. Any number of processes may read while
one writes. How items become rows: `lance_schema`. Upkeep (compaction, indexes, old versions): `lance_upkeep`.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import lance
from filelock import FileLock

from duretrieval.errors import CollectionError, NotACollection, ShapeError
from duretrieval.index.lance import place, scan, schema
from duretrieval.index.lance import rows as lance_rows
from duretrieval.index.lance import upkeep as lance_upkeep
from duretrieval.index.lance.reader import LanceReader
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
        self._uri = str(uri)
        self._lock = lock
        self._writable = writable
        self._upkeep = upkeep or Upkeep()
        self._writing = threading.Lock()
        _keep_few_arenas()
        super().__init__(
            lance.dataset(
                place.location(uri), index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_FILE_CACHE
            )
        )
        self._commits = lance_upkeep.loose(self._data, self._upkeep)

    @classmethod
    def create(
        cls, uri: str | Path, dim: int, metadata: Mapping[str, str], *, upkeep: Upkeep | None = None
    ) -> LanceStore:
        """Make an empty store for vectors of `dim` components and open it for writing.

        metadata: text that stays with the store, such as the name and fingerprint of its model.

        Raises:
            CollectionError: there is one already.
            NotACollection: something else is there.
            CollectionLocked: another process is making one at this moment.
        """
        place.clear(uri)
        lock = place.lock(uri)
        try:
            with place.telling(uri):
                empty = schema.schema(dim, metadata).empty_table()
                lance.write_dataset(empty, place.location(uri), mode="create")
                return cls(uri, lock=lock, writable=True, upkeep=upkeep)
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
        """
        place.require(uri)
        lock = place.lock(uri) if write else None
        try:
            with place.telling(uri):
                store = cls(uri, lock=lock, writable=write, upkeep=upkeep)
            _require_format(store._data.schema.metadata or {}, uri)
            _require_inside(store._data.base_paths().values(), uri)
            return store
        except BaseException as error:
            if lock:
                lock.release()
            if "was not found" in str(error):
                raise NotACollection(f"there is nothing at {uri}; index something into it first") from error
            raise

    def close(self) -> None:
        """Give up the right to write; the store can still be read."""
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
        with self._writing, place.telling(self._uri):
            data = self._to_write()
            if last:
                self._merge(data, [item for item, _ in last.values()], [rows for _, rows in last.values()], model)
                self._committed(data)

    def remove(self, ids: Sequence[str], /) -> int:
        """Drop items; returns how many were there."""
        with self._writing, place.telling(self._uri):
            data = self._to_write()
            known = scan.ids(data, "_item", ids)
            for chunk in scan.chunks(known):
                data.delete(scan.one_of("_item", chunk))
            if known:
                self._committed(data)
        return len(known)

    def optimize(self) -> None:
        """Merge small files, bring indexes up to date, and drop old versions; searching goes on meanwhile."""
        with self._writing, place.telling(self._uri):
            self._tidy(self._to_write())

    def _merge(self, data: Any, items: Sequence[Item], vectors: Sequence[Array], model: str) -> None:
        lance_upkeep.grow(data, schema.grown(schema.user_fields(data.schema), items))
        rows = lance_rows.table(items, vectors, model, data.schema)
        merge = data.merge_insert("_id").when_matched_update_all().when_not_matched_insert_all()
        known = scan.ids(data, "_item", [item.id for item in items])
        if known:  # what an item no longer has goes in the same commit
            merge = merge.when_not_matched_by_source_delete(scan.one_of("_item", known))
        merge.execute(rows)

    def _to_write(self) -> Any:
        """A handle of the newest version that no reading thread shares, since a commit moves it."""
        if not self._writable:
            raise CollectionError(f"{self._uri} is open for reading only; open it with write=True to change it")
        return self._data.checkout_version(self._data.latest_version)

    def _committed(self, data: Any) -> None:
        self._data = data
        self._commits += 1
        if self._commits >= self._upkeep.after_commits:
            self._tidy(self._to_write())

    def _tidy(self, data: Any) -> None:
        lance_upkeep.optimize(data, self._upkeep, alone=self._lock is not None)
        self._data = data
        self._commits = 0


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
