"""The hot index: faiss, in memory, for a running server and for bulk work; thrown away and filled again from the store.

Never filter inside an HNSW graph (recall .27 under a filter of 1 %): ask the store, which filters first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import faiss
import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.index.exact import matrix
from duretrieval.types import Array

_FEW = 16  # queries up to which one thread is faster than waking the others


class FaissIndex:
    """Nearest neighbours by cosine through faiss.

    kind: "hnsw", approximate, about 0.1 ms a query at 100,000 rows; "flat", exact.
    links, effort_add, effort: the graph's M, efConstruction and efSearch: more finds more, takes longer, and (links)
    needs more memory.
    """

    def __init__(
        self,
        dim: int,
        *,
        kind: Literal["hnsw", "flat"] = "hnsw",
        links: int = 32,
        effort_add: int = 40,
        effort: int = 64,
    ) -> None:
        if kind not in ("hnsw", "flat"):
            raise ConfigError(f"no faiss index is of kind {kind!r}; choose 'hnsw' (approximate) or 'flat' (exact)")
        self._dim = dim
        self._kind = kind
        self._settings = (links, effort_add, effort)
        self._index = self._empty()
        self._ids: list[str | None] = []  # row -> id, None where the row is dead
        self._places: dict[str, int] = {}

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self._dim

    def __len__(self) -> int:
        return len(self._places)

    def add(self, ids: Sequence[str], vectors: Array, /) -> None:
        """Keep (n, dim) unit rows, row i as ids[i]; one that is there is replaced, and of two alike the last stays.

        Raises:
            ShapeError: not one row of `dim` components for each id.
        """
        rows = matrix(vectors, self._dim, len(ids))
        last = {id: i for i, id in enumerate(ids)}
        self.remove(list(last))
        self._index.add(rows[list(last.values())])
        for id in last:
            self._places[id] = len(self._ids)
            self._ids.append(id)

    def remove(self, ids: Sequence[str], /) -> None:
        """Forget ids; those that are not there do not matter.

        A graph cannot lose a node: the row stays as a way through and is left out of answers, until as many rows are
        dead as alive and the index is built again.
        """
        for id in ids:
            place = self._places.pop(id, None)
            if place is not None:
                self._ids[place] = None
        dead = len(self._ids) - len(self._places)
        if dead > len(self._places):
            self._rebuild()

    def search(self, queries: Array, k: int, /) -> list[list[tuple[str, float]]]:
        """The k nearest (id, cosine) of each of (q, dim) unit queries, best first; fewer when the index is smaller.

        Raises:
            ShapeError: queries of another width.
        """
        asked = matrix(queries, self._dim)
        k = min(k, len(self))
        if k < 1 or not len(asked):
            return [[] for _ in asked]
        wide = k
        while True:  # wider, until enough of what is found is alive
            found = self._search(asked, wide)
            alive = [[(id, score) for id, score in row if id is not None] for row in found]
            if wide == len(self._ids) or all(len(row) >= k for row in alive):
                break
            wide = min(4 * wide, len(self._ids))
        return [sorted(row, key=lambda pair: (-pair[1], pair[0]))[:k] for row in alive]

    def _search(self, asked: Array, k: int) -> list[list[tuple[str | None, float]]]:
        threads = faiss.omp_get_max_threads()
        if len(asked) <= _FEW:
            faiss.omp_set_num_threads(1)  # holds for the calling thread; p95 0.16 ms against 12 ms
        try:
            scores, rows = self._index.search(asked, k, params=self._how(k))
        finally:
            faiss.omp_set_num_threads(threads)
        return [
            [(self._ids[i], float(score)) for score, i in zip(*pair, strict=True) if i >= 0]
            for pair in zip(scores, rows, strict=True)
        ]

    def _how(self, k: int) -> Any:
        if self._kind == "flat":
            return None
        asked: Any = faiss  # this name is added at run time
        return asked.SearchParametersHNSW(efSearch=max(self._settings[2], 2 * k))

    def _empty(self) -> Any:
        if self._kind == "flat":
            return faiss.IndexFlatIP(self._dim)
        links, effort_add, _ = self._settings
        index = faiss.IndexHNSWFlat(self._dim, links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = effort_add
        return index

    def _rebuild(self) -> None:
        alive = [(id, place) for place, id in enumerate(self._ids) if id is not None]
        rows = self._index.reconstruct_n(0, len(self._ids)) if self._ids else np.empty((0, self._dim), np.float32)
        self._index = self._empty()
        self._index.add(np.ascontiguousarray(rows[[place for _, place in alive]]))
        self._ids = [id for id, _ in alive]
        self._places = {id: place for place, (id, _) in enumerate(alive)}
