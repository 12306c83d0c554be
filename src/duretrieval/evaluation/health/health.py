"""What can be measured of a collection without labels: does search find what comparing every vector finds, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.health.agreement import Agreement, agreements
from duretrieval.evaluation.health.survey import Survey, survey
from duretrieval.protocols import ReadView
from duretrieval.types import Array, Modality

WARM_UP = 3
"""Searches that are not timed: the first ones read weights and files."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long searches took, milliseconds."""

    what: Literal["text-search", "vector-search"]
    """From words to hits, or from a vector to parts."""
    queries: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Health:
    """A collection without labels."""

    items: int
    parts: int
    problems: int
    """Items that could not be used, or not wholly."""
    indexed: bool
    """Whether the store has an approximate index; without, every vector is compared."""
    index: str | None
    """The name of the index in memory that was searched; None where it was the store."""
    k: int
    agreements: tuple[Agreement, ...]
    latencies: tuple[Latency, ...]
    """Of words only where the model knows them."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def measure_health(collection: Collection, *, k: int = 10, queries: int = 100, seed: int = 0) -> Health:
    """Measure recall against comparing every vector, under no filter and several, and time searches.

    queries: how many to ask of each; they are vectors and words of the collection itself, drawn with `seed`.

    Raises:
        EvaluationError: there is nothing in the collection to ask for.
        ConfigError: `queries` is below 1.
    """
    if queries < 1:
        raise ConfigError(f"queries is {queries}; give how many to ask, at least 1")
    stats = collection.stats()
    if not stats.parts:
        raise EvaluationError(f"the collection at {collection.path} has no parts to ask for; index something first")
    store = collection.view()
    known = survey(store, queries, seed)
    timed = [_vectors(store, known.vectors[:queries], k)]
    if known.texts and Modality.TEXT in collection.model.modalities:
        timed.insert(0, _words(collection, known, k))
    return Health(
        items=stats.items,
        parts=stats.parts,
        problems=stats.problems,
        indexed=store.indexed,
        index=collection.index,
        k=k,
        agreements=tuple(agreements(store, known, k, queries)),
        latencies=tuple(timed),
    )


def _words(collection: Collection, known: Survey, k: int) -> Latency:
    return _timed("text-search", [lambda text=text: collection.search(text, k=k) for text in known.texts])  # type: ignore[misc]


def _vectors(store: ReadView, vectors: Array, k: int) -> Latency:
    return _timed("vector-search", [lambda vector=vector: store.search(vector, k) for vector in vectors])  # type: ignore[misc]


def _timed(what: Literal["text-search", "vector-search"], searches: Sequence[Callable[[], object]]) -> Latency:
    for search in searches[:WARM_UP]:
        search()
    taken = []
    for search in searches:
        start_s = time.perf_counter()
        search()
        taken.append(1000 * (time.perf_counter() - start_s))
    p50, p95, p99 = (round(float(v), 3) for v in np.quantile(taken, (0.5, 0.95, 0.99), method="higher"))
    return Latency(what, len(taken), p50, p95, p99)
