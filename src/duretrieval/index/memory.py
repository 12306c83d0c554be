"""A store whose vectors are in memory too: the nearest parts come from there, and everything else from the store."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from duretrieval.protocols import Index, Store
from duretrieval.types import Array, Match, Modality

BATCH = 1000
"""Items read from the store at a time."""


class InMemory:
    """A `Store` to search in, with an index a modality, filled when first asked and whenever the store changed.

    store: where items and vectors are.  make: an empty index for vectors of a dim.  A search with a filter, an exact
    one, and one over all modalities at once are the store's, which filters before it compares.
    """

    def __init__(self, store: Store, make: Callable[[int], Index]) -> None:
        self._store = store
        self._make = make
        self._indexes: dict[Modality, Index] = {}
        self._version: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def __len__(self) -> int:
        return len(self._store)

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
        """The k nearest parts, as `Store.search`; their similarity is as exact as the index's."""
        if modality is None or where is not None or exact:
            return self._store.search(query, k, modality=modality, where=where, exact=exact)
        if self._version != self._store.version:
            self._fill()
        index = self._indexes.get(modality)
        found = index.search(query[None], k)[0] if index else []
        return [_match(key, similarity) for key, similarity in found]

    def _fill(self) -> None:
        version = self._store.version
        indexes: dict[Modality, Index] = {}
        everything = self._store.scan()
        while items := list(islice(everything, BATCH)):
            vectors = self._store.vectors([item.id for item in items])
            rows: dict[Modality, list[tuple[str, Array]]] = {}
            for item in items:
                for n, part in enumerate(item.parts):
                    rows.setdefault(part.modality, []).append((f"{n} {item.id}", vectors[item.id][n]))
            for modality, held in rows.items():
                index = indexes.setdefault(modality, self._make(self._store.dim))
                index.add([key for key, _ in held], np.stack([row for _, row in held]))
        self._indexes, self._version = indexes, version


def _match(key: str, similarity: float) -> Match:
    n, _, item = key.partition(" ")
    return Match(item, int(n), similarity)
