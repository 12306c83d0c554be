"""From probes to hits: candidate parts per modality, items by their best parts, evidence for each."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from duretrieval.protocols import Reranker, Store
from duretrieval.types import Array, Evidence, Hit, Item, Modality, Probe, Query

EVIDENCE = 3
"""Parts shown for a hit, at most."""
WEIGHTED_CANDIDATES = 200
"""Items considered per modality, at least, when an item's score mixes modalities."""
RERANKED = 200
"""Items that a re-ranker is given, at least."""


def search(store: Store, probes: Mapping[Modality, Probe], query: Query, rerank: Reranker | None = None) -> list[Hit]:
    """Return the best `query.k` items, best first, each once, with its best parts as evidence.

    rerank: puts the best 200 (or k, where that is more) into its own order before the first k are taken.

    An item's score is that of its best part. With `query.weights` it is the weighted cosine's rule instead: the mean
    over the item's modalities of their best parts' scores, weighted; candidates are then the best items of each
    modality (at least 200), so an item that is middling in every modality can be missed.
    """
    if rerank is not None:
        first = search(store, probes, replace(query, k=max(RERANKED, query.k)))
        return rerank(query, first)[: query.k]
    wanted = query.k if query.weights is None else max(WEIGHTED_CANDIDATES, 10 * query.k)
    best: dict[str, float] = {}
    for modality, probe in probes.items():
        for item, score in _best_items(store, probe, modality, wanted, query).items():
            best[item] = max(score, best.get(item, score))
    if query.weights is None:
        candidates = heapq.nsmallest(query.k, best, key=lambda item: (-best[item], item))
    else:
        candidates = list(best)
    vectors = store.vectors(candidates)
    hits = [
        _hit(item, vectors[item.id], probes, query.weights)
        for item in store.get(candidates)
        if len(vectors.get(item.id, ())) == len(item.parts)  # else it was replaced between the two questions
    ]
    hits = [hit for hit in hits if hit.score > float("-inf")]
    hits.sort(key=lambda hit: (-hit.score, hit.item.id))
    return hits[: query.k]


def _best_items(store: Store, probe: Probe, modality: Modality, wanted: int, query: Query) -> dict[str, float]:
    """Item -> score of its best part of this modality, for at least `wanted` items if there are as many.

    A long film may own the first hundred parts, so the search widens until enough different items are found.
    """
    k = 4 * wanted + 16
    while True:
        matches = store.search(probe.vector, k, modality=modality, where=query.where, exact=query.exact)
        items: dict[str, float] = {}
        for match in matches:
            if match.item not in query.like:
                items.setdefault(match.item, probe.scale * match.similarity - probe.offset)
        if len(items) >= wanted or len(matches) < k:
            return items
        k *= 4


def _hit(item: Item, vectors: Array, probes: Mapping[Modality, Probe], weights: Mapping[Modality, float] | None) -> Hit:
    """Score every part of the item that may match; vectors is (len(item.parts), d)."""
    evidence = []
    for part, vector in zip(item.parts, vectors, strict=True):
        if probe := probes.get(part.modality):
            similarity = float(probe.vector @ vector)
            evidence.append(Evidence(part, similarity, probe.scale * similarity - probe.offset))
    evidence.sort(key=lambda e: -e.score)
    best = max((e.score for e in evidence), default=float("-inf"))
    score = best if weights is None else weighted(evidence, weights)
    return Hit(item, score, tuple(evidence[:EVIDENCE]))


def weighted(evidence: Iterable[Evidence], weights: Mapping[Modality, float]) -> float:
    """sum_m w_m max_p s_m(p) / sum_m w_m over the modalities the item has; one that is not in `weights` counts 1."""
    best: dict[Modality, float] = defaultdict(lambda: float("-inf"))
    for e in evidence:
        best[e.part.modality] = max(best[e.part.modality], e.score)
    total = sum(weights.get(m, 1.0) for m in best)
    if total <= 0:
        return float("-inf")
    return sum(weights.get(m, 1.0) * s for m, s in best.items() if weights.get(m, 1.0)) / total
