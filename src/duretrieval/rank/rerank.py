"""Re-ranking the candidates of a search by a learned score of query and part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from duretrieval.protocols import Scorer, Store
from duretrieval.rank.nearest import EVIDENCE, weighted
from duretrieval.types import Array, Evidence, Hit, Item, Query

MEASURE = "learned score of query and part"


@dataclass(frozen=True, slots=True)
class PairReranker:
    """Orders hits by how well their parts fit the query's terms, as a `Scorer` says.

    s(part) = sum_t w_t scorer(v_t, part) / sum_t |w_t|, and an item has the score of its best part; with
    `query.weights`, the weighted mean over its modalities of their best parts' scores, as `rank.search` has it.

    vectors: (t, d) unit rows, one a term.  weights: t numbers, not all 0.  store: where the parts' vectors are.
    Only parts of `query.modalities` count.  A hit whose parts have no vector any more gets the lowest score.
    """

    scorer: Scorer
    vectors: Array
    weights: Sequence[float]
    store: Store

    def __call__(self, query: Query, hits: Sequence[Hit], /) -> list[Hit]:
        """The same hits, best first; their scores, and those of their evidence, are the scorer's."""
        if not hits:
            return []
        parts = self.store.vectors([hit.item.id for hit in hits])
        held = [list(_places(hit.item, parts.get(hit.item.id), query)) for hit in hits]
        rows = [parts[hit.item.id][places] for hit, places in zip(hits, held, strict=True) if places]
        scores = self._scores(np.concatenate(rows)) if rows else np.zeros(0, np.float32)
        lowest = float(scores.min()) if len(scores) else 0.0
        cuts = np.cumsum([len(places) for places in held])[:-1]
        reranked = [
            self._reranked(hit, places, own, parts, query) if places else replace(hit, score=lowest, measure=MEASURE)
            for hit, places, own in zip(hits, held, np.split(scores, cuts), strict=True)
        ]
        return sorted(reranked, key=lambda hit: (-hit.score, hit.item.id))

    def _scores(self, rows: Array) -> Array:
        """(n, d) -> (n,)."""
        w = np.asarray(self.weights, dtype=np.float64)
        terms = [self.scorer(np.broadcast_to(vector, rows.shape), rows) for vector in self.vectors]
        total: Array = (w @ np.stack(terms) / np.abs(w).sum()).astype(np.float32)
        return total

    def _reranked(self, hit: Hit, places: list[int], scores: Array, parts: dict[str, Array], query: Query) -> Hit:
        similarities = parts[hit.item.id][places] @ self._direction()
        found = [
            Evidence(hit.item.parts[place], float(similarity), float(score))
            for place, similarity, score in zip(places, similarities, scores, strict=True)
        ]
        found.sort(key=lambda e: -e.score)
        score = found[0].score if query.weights is None else weighted(found, query.weights)
        return Hit(hit.item, score, tuple(found[:EVIDENCE]), MEASURE)

    def _direction(self) -> Array:
        """(d,): the weighted sum of the terms, unit, to say a cosine beside the score."""
        total = np.asarray(self.weights, dtype=np.float32) @ self.vectors
        length = float(np.linalg.norm(total))
        direction: Array = total / length if length else total
        return direction


def _places(item: Item, vectors: Array | None, query: Query) -> Iterator[int]:
    """Which of the item's parts may match and have a vector."""
    if vectors is not None:
        yield from (i for i, part in enumerate(item.parts) if part.modality in query.modalities and i < len(vectors))
