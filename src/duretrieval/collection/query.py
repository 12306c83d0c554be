"""The road of a question: terms of any modality become unit vectors with weights, and these find items."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from duretrieval.collection.reading import Held, Road
from duretrieval.errors import EmptyMedia, MediaError, MissingExtra, QueryError
from duretrieval.fuse.means import mean
from duretrieval.fuse.scores import probes
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.rank.nearest import search
from duretrieval.rank.rerank import PairReranker
from duretrieval.similarity import unit
from duretrieval.types import Array, Hit, Modality, Part, Query, Term

NOTHING = "the query asks for nothing"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
"""Unicode's categories of spaces, of characters that only steer, and of halves."""


class Asking:
    """What one question reads, each file once, however often it is looked at."""

    def __init__(self, model: Model, road: Road) -> None:
        self._model, self._road = model, road
        self._held: dict[tuple[Path, Modality], Held] = {}

    def terms(self, asked: str | Path | Term | Sequence[Term]) -> tuple[Term, ...]:
        """Words, a file (its kind read from its content), a term or several, as terms.

        Raises:
            QueryError, MediaError, MissingExtra: as `embed`.
        """
        if isinstance(asked, str):
            return (Term(Modality.TEXT, asked),)
        if isinstance(asked, Path):
            held = self._read(asked, asked)
            self._held[asked, held.kind] = held
            return (Term(held.kind, asked),)
        return (asked,) if isinstance(asked, Term) else tuple(asked)

    def answer(self, query: Query, store: Store) -> list[Hit]:
        """The items that fit best, best first.

        Raises:
            QueryError, MediaError, MissingExtra: as `embed` and `searched`.
        """
        wanted = searched(query, self._model)
        vectors, weights = self.embed(query, store)
        query = weighed(query, vectors, weights, self._model)
        scorer = self._model.scorer
        rerank = PairReranker(scorer, vectors, weights, store) if scorer else None
        return search(store, probes(vectors, weights, wanted, self._model.background), query, rerank)

    def embed(self, query: Query, store: Store) -> tuple[Array, list[float]]:
        """One unit vector a term, then one an item of `query.like`: (t, dim), and the t weights.

        A term of several parts, and an item, has their mean (`fuse.means`).  Where the model has a fusion, the terms
        with weights above 0 are fused into one vector, with the sum of their weights; each of the others is fused
        alone, and an item to be like is its whole.

        Raises:
            QueryError: a term is blank or its weight no finite number, a file holds nothing of its term's modality, or
                an item to be like is not there or has no vectors.
            MediaError, MissingExtra: a file cannot be read.
        """
        for term in query.terms:
            if not math.isfinite(term.weight):
                raise QueryError(f"a term has weight {term.weight}; give a number, negative for less of it")
        empty = np.zeros((0, self._model.dim), np.float32)
        found = [self._model.sequences(self._parts(term)) for term in query.terms]
        weights = [term.weight for term in query.terms]
        if self._model.fusion is not None:
            asked, weights = _fused(query.terms, found, self._model)
        else:
            asked = np.stack([mean(np.concatenate(parts)) for parts in found]) if found else empty
        like = _like(query.like, store, wholes=self._model.fusion is not None)
        return np.concatenate([asked, like or empty]), weights + [1.0] * len(query.like)

    def _parts(self, term: Term) -> list[Part]:
        if not isinstance(term.content, Path):
            if is_nothing(term.content):
                raise QueryError(
                    f"{NOTHING}: a term is empty or blank; give words, a picture, a film or a sound, or leave the term "
                    "out"
                )
            return self._road.read(Part(term.modality, term.content)).wanted()
        path = term.content
        if (path, term.modality) not in self._held:
            self._held[path, term.modality] = self._read(path, Part(term.modality, path))
        held = self._held[path, term.modality]
        if not held.parts:
            raise QueryError(f"{NOTHING}: {path} holds nothing to look for")
        if term.modality not in held.parts:
            raise QueryError(f"{path} holds {held.there}, no {term.modality.value}")
        return held.wanted()

    def _read(self, path: Path, thing: Path | Part) -> Held:
        try:
            return self._road.read(thing)
        except EmptyMedia as error:
            raise QueryError(f"{NOTHING}: {path} is empty ({error})") from error
        except (MediaError, MissingExtra) as error:
            raise type(error)(f"{path}: {error}") from error


def searched(query: Query, model: Model) -> list[Modality]:
    """The modalities of the parts that a query is compared with: of a model with a fusion, items as wholes.

    Raises:
        QueryError: the query chooses or weighs modalities, and the model fuses them.
    """
    if model.fusion is None:
        return sorted(query.modalities & model.modalities)
    fuses = f"model {model.name!r} fuses the modalities of an item into one vector"
    if not (query.modalities >= model.modalities or query.modalities == {Modality.WHOLE}):
        kind = min(query.modalities & model.modalities, default=Modality.IMAGE)
        raise QueryError(
            f"{fuses}, so a search cannot be narrowed to {', '.join(sorted(query.modalities)) or 'none'}; "
            f"filter the items instead, with --where \"kind = '{kind}'\""
        )
    if query.weights is not None:
        raise QueryError(f"{fuses}, so modalities cannot be weighed; give no weights, or weigh the terms (2:words)")
    return [Modality.WHOLE]


def weighed(query: Query, vectors: Array, weights: Sequence[float], model: Model) -> Query:
    """The query with the modalities weighed as the model has learned to, where it says nothing of that itself.

    vectors: (t, dim) unit, one a term.  weights: of the terms.  They are read from the unit sum of the weighted terms;
    one of no direction, and one that a single modality is to match, is left as it is.
    """
    single = len(query.modalities & model.modalities) < 2
    if query.weights is not None or single or model.fusion is not None or model.weights is None:
        return query
    (direction,) = unit(np.asarray(weights, np.float32)[None] @ vectors)
    return replace(query, weights=model.weights(direction)) if direction.any() else query


def _fused(terms: Sequence[Term], found: Sequence[list[Array]], model: Model) -> tuple[Array, list[float]]:
    """found: of each term its parts, as `Model.sequences` gives them; what is wanted as one row, then each term of
    which less is wanted."""
    read = [_as_one(term, parts, model) for term, parts in zip(terms, found, strict=True)]
    kinds = [term.modality for term in terms]
    wanted = [i for i, term in enumerate(terms) if term.weight > 0]
    unwanted = [i for i, term in enumerate(terms) if term.weight < 0]
    rows = [model.whole([kinds[i]], [read[i]]) for i in unwanted]
    weights = [terms[i].weight for i in unwanted]
    whole = model.whole([kinds[i] for i in wanted], [read[i] for i in wanted], [terms[i].weight for i in wanted])
    if whole.any():
        rows.insert(0, whole)
        weights.insert(0, sum(terms[i].weight for i in wanted))
    return np.stack(rows) if rows else np.zeros((0, model.dim), np.float32), weights


def _as_one(term: Term, parts: list[Array], model: Model) -> Array:
    """(t, dim) unit: the tokens of all parts of a term, or their mean where the fusion takes one row."""
    return np.concatenate(parts) if term.modality in model.tokens else mean(np.concatenate(parts))[None]


def _like(ids: Sequence[str], store: Store, *, wholes: bool) -> list[Array]:
    """(dim,) unit, one an item: the mean of its parts, or its whole."""
    found = store.vectors(ids)
    whole = (
        {item.id: [part.modality is Modality.WHOLE for part in item.parts] for item in store.get(ids)} if wholes else {}
    )
    rows = []
    for id_ in ids:
        vectors = found.get(id_, np.zeros((0, 0), np.float32))
        vectors = vectors[whole.get(id_, [])] if wholes else vectors
        if not len(vectors):
            raise QueryError(f"nothing can be like {id_!r}: there is no such item, or it has no vectors")
        rows.append(mean(vectors))
    return rows


def is_nothing(content: object) -> bool:
    """Whether it is text without a character to see, or an array without numbers."""
    if isinstance(content, str):
        return all(unicodedata.category(sign) in _UNSEEN for sign in content)
    return isinstance(content, np.ndarray) and content.size == 0
