"""The road of a question: terms of any modality become unit vectors with weights."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from duretrieval.errors import EmptyMedia, QueryError
from duretrieval.fuse.means import means
from duretrieval.media.decoder import Chunk, Cursor, decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part, Query, Term

NOTHING = "the query asks for nothing"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
"""Unicode's categories of spaces, of characters that only steer, and of halves."""
PARTS = 64
"""Parts of a file that is a term, at most: five minutes of sound."""


def terms(asked: str | Path | Term | Sequence[Term], model: Model, limits: Limits) -> tuple[Term, ...]:
    """Words, a file (its kind read from its content), a term or several, as terms."""
    if isinstance(asked, str):
        return (Term(Modality.TEXT, asked),)
    if isinstance(asked, Path):
        kind = _decode(asked, model, limits).fields["kind"]
        return (Term(Modality(str(kind)), asked),)
    return (asked,) if isinstance(asked, Term) else tuple(asked)


def embed(query: Query, model: Model, store: Store, limits: Limits) -> tuple[Array, list[float]]:
    """One unit vector a term, then one an item of `query.like`: (t, dim), and the t weights.

    Where the model has a fusion, the terms with weights above 0 are fused into one vector, with the sum of their
    weights; each of the others is fused alone, and an item to be like is its whole.

    Raises:
        QueryError: a term is blank, a file holds nothing of its term's modality, or an item to be like is not there or
            has no vectors.
        MediaError: a file cannot be read.
    """
    empty = np.zeros((0, model.dim), np.float32)
    terms = [_term(term, model, limits) for term in query.terms]
    asked, weights = unit(np.stack(terms)) if terms else empty, [term.weight for term in query.terms]
    if model.fusion is not None:
        asked, weights = _fused(query.terms, asked, model)
    like = _like(query.like, store, wholes=model.fusion is not None)
    return np.concatenate([asked, like or empty]), weights + [1.0] * len(query.like)


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


def _fused(terms: Sequence[Term], vectors: Array, model: Model) -> tuple[Array, list[float]]:
    """vectors: (t, dim) unit, one a term; what is wanted as one row, then each term of which less is wanted."""
    wanted = [i for i, term in enumerate(terms) if term.weight > 0]
    unwanted = [i for i, term in enumerate(terms) if term.weight < 0]
    rows = [model.fuse({terms[i].modality: vectors[i : i + 1]}) for i in unwanted]
    weights = [terms[i].weight for i in unwanted]
    if mean := means([terms[i].modality for i in wanted], vectors[wanted], [terms[i].weight for i in wanted]):
        rows.insert(0, model.fuse(mean))
        weights.insert(0, sum(terms[i].weight for i in wanted))
    return np.concatenate([np.zeros((0, model.dim), np.float32), *rows]), weights


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
        rows.append(unit(vectors.mean(axis=0)))
    return rows


def _term(term: Term, model: Model, limits: Limits) -> Array:
    """(dim,): the mean over the parts of the term's modality."""
    if not isinstance(term.content, Path):
        if _is_nothing(term.content):
            raise QueryError(
                f"{NOTHING}: a term is empty or blank; give words, a picture, a film or a sound, or leave the term out"
            )
        row: Array = model.encode([Part(term.modality, term.content)])[0]
        return row
    read = list(islice(_parts(term.content, model, limits), PARTS))
    parts = [part for part in read if part.modality is term.modality]
    if not parts:
        if not read:
            raise QueryError(f"{NOTHING}: {term.content} holds nothing to look for")
        there = " and ".join(sorted({part.modality.value for part in read}))
        raise QueryError(f"{term.content} holds {there}, no {term.modality.value}")
    mean: Array = model.encode(parts).mean(axis=0)
    return mean


def _parts(path: Path, model: Model, limits: Limits) -> Iterator[Part]:
    chunk = _decode(path, model, limits)
    yield from chunk.parts
    while chunk.next is not None:
        chunk = _decode(path, model, limits, chunk.next)
        yield from chunk.parts


def _decode(path: Path, model: Model, limits: Limits, start: Cursor | None = None) -> Chunk:
    try:
        return decode(path, model.reading, limits, start)
    except EmptyMedia as error:
        raise QueryError(f"{NOTHING}: {path} is empty ({error})") from error


def _is_nothing(content: object) -> bool:
    """Whether it is text without a character to see, or an array without numbers."""
    if isinstance(content, str):
        return all(unicodedata.category(sign) in _UNSEEN for sign in content)
    return isinstance(content, np.ndarray) and content.size == 0
