"""A store whose vectors are in memory too: the nearest parts come from there, and everything else from the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from duretrieval.index.exact import direction
from duretrieval.protocols import Index, Store
from duretrieval.types import Array, Match, Modality


class InMemory:
    """A `Store` to search in, with an index a modality, filled when first asked and whenever the store changed.

    store: where items and vectors are.  make: an empty index for vectors of a dim.  A search with a filter and an exact
    one are the store's, which filters before it compares.
    """

    def __init__(self, store: Store, make: Callable[[int], Index]) -> None:
        self.store = store
        self._make = make
        self.indexes: dict[Modality, Index] = {}
        self._version: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def __len__(self) -> int:
        return len(self.store)

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
        """The k nearest parts, as `Store.search`; their similarity is as exact as the index's.

        Raises:
            ShapeError, QueryError, UnknownField: as `Store.search`.
        """
        if where is not None or exact:
            return self.store.search(query, k, modality=modality, where=where, exact=exact)
        if self._version != self.store.version:
            self._fill()
        asked = direction(query, self.store.dim)[None]
        indexes = [index for held, index in self.indexes.items() if modality in (None, held)]
        found = [_match(*pair) for index in indexes for pair in index.search(asked, k)[0]]
        return sorted(found, key=lambda match: (-match.similarity, match.item, match.n))[:k]

    def _fill(self) -> None:
        version = self.store.version
        indexes: dict[Modality, Index] = {}
        for modality in map(Modality, self.store.count_parts()):
            indexes[modality] = self._make(self.store.dim)
            for keys, rows in self.store.parts(modality=modality):
                indexes[modality].add([f"{n} {item}" for item, n in keys], rows)
        self.indexes, self._version = indexes, version


def _match(key: str, similarity: float) -> Match:
    n, _, item = key.partition(" ")
    return Match(item, int(n), similarity)
