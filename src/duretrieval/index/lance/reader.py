"""The reading half of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from duretrieval.index import filters
from duretrieval.index.exact import direction
from duretrieval.index.lance import place, schema, upkeep
from duretrieval.index.lance import rows as lance_rows
from duretrieval.index.lance import scan as lance_scan
from duretrieval.index.lance.damage import damage
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.saying import damaged, moved, saying
from duretrieval.index.lance.verify import faults
from duretrieval.types import Array, Item, Match, Modality

_ROWS = (*schema.PLAIN, "_item", "_n", "_parts", "_text", "_stamp", "_digest")


P = ParamSpec("P")
R = TypeVar("R")


def said(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method whose failures are sentences (`saying`), at each step where it gives one thing after another."""
    if not isgeneratorfunction(method):

        @wraps(method)
        def once(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with saying(self._uri, self._seen):
                return method(self, *args, **kwargs)

        return once

    @wraps(method)
    def steps(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        with saying(self._uri, self._seen):
            yield from method(self, *args, **kwargs)

    return steps  # type: ignore[return-value]


class LanceReader:
    """Answers from the newest version of a Lance dataset; threads may share one.

    Every method raises CollectionMoved where another store lies at `uri` by now, and DamagedCollection where files of
    this one cannot be read.
    """

    def __init__(self, uri: str, data: Any, seen: place.Seen) -> None:
        self._uri = uri
        self._data = data
        self._seen = seen

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return int(self._data.schema.field("_vector").type.list_size)

    @property
    def there(self) -> bool:
        """Whether it still lies where it was opened; if not, it was replaced, moved or removed."""
        return self._seen.there()

    @property
    @said
    def version(self) -> int:
        """Grows with every change."""
        return int(self._newest().version)

    @property
    def metadata(self) -> dict[str, str]:
        """What `create` was given."""
        stored = self._data.schema.metadata or {}
        return {key.decode(): value.decode() for key, value in stored.items() if key.decode() != schema.FORMAT_KEY}

    @property
    @said
    def indexed(self) -> bool:
        """Whether the vectors have an approximate index."""
        return upkeep.ann_index(self._newest())

    @said
    def __len__(self) -> int:
        """Items, those without parts included."""
        return int(self._newest().count_rows("_n = 0"))

    @said
    def get(self, ids: Sequence[str], /) -> list[Item]:
        """Items in the order asked, ids that are not there left out; content comes back for TEXT parts only."""
        data = self._newest()
        fields = schema.user_fields(data.schema)
        found: dict[str, Item] = {}
        for chunk in lance_scan.chunks(dict.fromkeys(ids)):
            rows = lance_scan.rows(data, [*_ROWS, *fields], lance_scan.one_of("_item", chunk))
            found.update((item.id, item) for item in lance_rows.items(rows, fields))
        return [found[id] for id in ids if id in found]

    @said
    def vectors(self, ids: Sequence[str], /) -> dict[str, Array]:
        """item -> (parts, dim) float32 in the order of its parts, for the ids that are there."""
        data = self._newest()
        found: dict[str, list[tuple[int, Array]]] = {}
        for chunk in lance_scan.chunks(dict.fromkeys(ids)):
            for batch in lance_scan.batches(
                data, ["_item", "_n", "modality", "_vector"], lance_scan.one_of("_item", chunk)
            ):
                rows = lance_scan.matrix(batch.column("_vector"), self.dim)
                for i, row in enumerate(batch.drop_columns(["_vector"]).to_pylist()):
                    held = found.setdefault(row["_item"], [])
                    if row["modality"] is not None:
                        held.append((row["_n"], rows[i]))
        empty = np.zeros((0, self.dim), dtype=np.float32)
        return {
            id: np.stack([row for _, row in sorted(found[id], key=lambda pair: pair[0])]) if found[id] else empty
            for id in dict.fromkeys(ids)
            if id in found
        }

    @said
    def scan(self, where: str | None = None, /) -> Iterator[Item]:
        """Every item, or those with a part that `where` fits, whole, as of the first step; memory stays flat."""
        data = self._newest()
        fields = schema.user_fields(data.schema)
        for group in self._fitting(data, [*_ROWS, *fields], where):
            yield lance_rows.item(group, fields)

    @said
    def parts(
        self, *, modality: Modality | None = None, where: str | None = None
    ) -> Iterator[tuple[list[tuple[str, int]], Array]]:
        """All vectors, block by block, to fill another index with: ((item, n) of each row, (b, dim) float32)."""
        data = self._newest()
        clause = lance_scan.both(
            f"modality = '{modality.value}'" if modality else "modality IS NOT NULL", self._sql(data, where)
        )
        with filters.answering(where):
            for batch in lance_scan.batches(data, ["_item", "_n", "_vector"], clause):
                keys: Any = zip(batch.column("_item").to_pylist(), batch.column("_n").to_pylist(), strict=True)
                yield list(keys), lance_scan.matrix(batch.column("_vector"), self.dim)

    @said
    def search(
        self,
        query: Array,
        k: int,
        /,
        *,
        modality: Modality | None = None,
        where: str | None = None,
        exact: bool = False,
    ) -> list[Match]:
        """The `k` parts nearest to `query` (dim,) by cosine, best first, equals by item and part.

        modality, where: only parts that fit, chosen before the search, so that narrow filters lose nothing.
        exact: compare every vector, even where there is an approximate index.

        Raises:
            ShapeError: the query has another shape, is not finite, or is zero.
            QueryError, UnknownField: `where` cannot be read or names a field that no item has.
        """
        data = self._newest()
        vector = direction(query, self.dim)
        clause = lance_scan.both(f"modality = '{modality.value}'" if modality else None, self._sql(data, where))
        k = min(k, data.count_rows())
        if k < 1:
            return []
        indexed = not exact and upkeep.ann_index(data)
        how = upkeep.ANN_SEARCH if indexed else {"metric": "dot", "use_index": False}
        with filters.answering(where):
            rows = data.scanner(
                columns=["_item", "_n", "_distance"],
                filter=clause,
                prefilter=True,
                nearest={"column": "_vector", "q": vector, "k": k, **how},
            ).to_table()
        found = zip(*(rows.column(name).to_pylist() for name in ("_item", "_n", "_distance")), strict=True)
        matches = [Match(item, n, 1.0 - distance) for item, n, distance in found]
        return sorted(matches, key=lambda match: (-match.similarity, match.item, match.n))

    @said
    def fields(self) -> dict[str, str]:
        """What a filter may name: name -> "text", "integer", "number", "boolean" or "date"."""
        return schema.words(self._newest().schema)

    @said
    def lookup(self, sources: Sequence[str], /) -> dict[str, tuple[str, str]]:
        """source -> (id, stamp) of its item, for the sources that are known."""
        data = self._newest()
        return {
            row["source"]: (row["_item"], row["_stamp"])
            for chunk in lance_scan.chunks(dict.fromkeys(sources))
            for row in lance_scan.rows(
                data, ["source", "_item", "_stamp"], f"_n = 0 AND {lance_scan.one_of('source', chunk)}"
            )
        }

    @said
    def copies(self, digests: Sequence[str], /, *, usable: bool = False) -> dict[str, list[tuple[str, str]]]:
        """digest -> (id, source) of each item with that content, by id; usable: of those without a problem only."""
        data = self._newest()
        found: dict[str, list[tuple[str, str]]] = {}
        for chunk in lance_scan.chunks(dict.fromkeys(digests)):
            clause = f"_n = 0 AND {lance_scan.one_of('_digest', chunk)}" + " AND problem IS NULL" * usable
            for row in lance_scan.rows(data, ["_digest", "_item", "source"], clause):
                found.setdefault(row["_digest"], []).append((row["_item"], row["source"]))
        return {digest: sorted(items) for digest, items in found.items()}

    @said
    def beginning(self, prefix: str, /) -> list[str]:
        """The ids that begin with `prefix`, sorted."""
        rows = lance_scan.rows(self._newest(), ["_item"], f"_n = 0 AND starts_with(_item, {filters.quoted(prefix)})")
        return sorted(row["_item"] for row in rows)

    @said
    def count_parts(self) -> dict[str, int]:
        """modality -> parts of it, for the modalities there are."""
        data = self._newest()
        counts = {modality.value: int(data.count_rows(f"modality = '{modality.value}'")) for modality in Modality}
        return {modality: n for modality, n in counts.items() if n}

    @said
    def count(self, where: str | None = None, /) -> int:
        """How many items there are, or have a part that `where` fits."""
        data = self._newest()
        checked = self._check(data, where)
        if checked is None or not checked.names & schema.PART_COLUMNS.keys():
            with filters.answering(where):
                return int(data.count_rows(lance_scan.both("_n = 0", checked.sql if checked else None)))
        return sum(1 for _ in self._fitting(data, ["_item", "_n", "_parts"], where))

    @said
    def tally(self, column: str, where: str | None = None, /) -> dict[Any, int]:
        """value of a field -> how many items have it, most first; an item counts once for each value its parts have.

        Raises:
            UnknownField: no item has such a field.
        """
        data = self._newest()
        name = filters.known(column, schema.words(data.schema))
        counts: Counter[Any] = Counter()
        for group in self._fitting(data, list(dict.fromkeys(["_item", "_n", "_parts", name])), where):
            counts.update({row[name] for row in group if row[name] is not None})
        return dict(counts.most_common())

    def verify(self, model: str | None = None) -> list[Fault]:
        """Everything wrong with what is stored, read through in bounded memory; empty when all is well.

        model: the fingerprint all vectors should carry; without it they only have to agree.
        """
        files = damage(self._uri)
        with saying(self._uri, self._seen):
            return [*files, *faults(self._newest(), model, {fault.subject for fault in files})]

    def _newest(self) -> Any:
        """The dataset at its newest version; another object each time it moved, so that readers in threads agree."""
        if not self._seen.there():
            raise moved(self._uri)
        data = self._data
        latest = data.latest_version
        if latest < data.version:
            raise damaged(self._uri, f"version {data.version} of it is gone")
        if latest != data.version:
            data = self._data = data.checkout_version(latest)
        return data

    def _check(self, data: Any, where: str | None) -> filters.Filter | None:
        """The filter with its names resolved, and accepted by Lance."""
        if where is None:
            return None
        checked = filters.check(where, schema.words(data.schema))
        try:
            data.scanner(columns=["_id"], filter=checked.sql, use_scalar_index=False).explain_plan()
        except (ValueError, OSError, RuntimeError) as error:
            raise filters.unusable(where, str(error)) from error
        return checked

    def _sql(self, data: Any, where: str | None) -> str | None:
        checked = self._check(data, where)
        return checked.sql if checked else None

    def _fitting(self, data: Any, columns: list[str], where: str | None) -> Iterator[list[lance_rows.Row]]:
        """Rows, item by item, of the items of which some part fits `where`.

        A filter over the item's own fields holds for all its rows or none and is pushed down; one over its parts is
        computed beside each row, since the item is wanted whole.
        """
        checked = self._check(data, where)
        own = checked is None or not checked.names & schema.PART_COLUMNS.keys()
        clause = checked.sql if checked else None
        with filters.answering(where):
            if own:
                yield from lance_rows.groups(lance_scan.rows(data, columns, clause))
                return
            selected = {name: f"`{name}`" for name in columns} | {"_fits": clause}
            for group in lance_rows.groups(lance_scan.rows(data, selected, None)):
                if any(row["_fits"] for row in group):
                    yield group
