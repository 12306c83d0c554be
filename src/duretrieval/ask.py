"""The road of a question: terms of any modality become unit vectors with weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from duretrieval.errors import QueryError
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.model import Model
from duretrieval.protocols import Store
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part, Query, Term

PARTS = 64
"""Parts of a file that is a term, at most: five minutes of sound."""


def terms(asked: str | Path | Term | Sequence[Term], model: Model, limits: Limits) -> tuple[Term, ...]:
    """Words, a file (its kind read from its content), a term or several, as terms."""
    if isinstance(asked, str):
        return (Term(Modality.TEXT, asked),)
    if isinstance(asked, Path):
        kind = decode(asked, model.reading, limits).fields["kind"]
        return (Term(Modality(str(kind)), asked),)
    return (asked,) if isinstance(asked, Term) else tuple(asked)


def embed(query: Query, model: Model, store: Store, limits: Limits) -> tuple[Array, list[float]]:
    """One unit vector a term, then one an item of `query.like`: (t, dim), and the t weights.

    Raises:
        QueryError: a file holds nothing of its term's modality, or an item to be like is not there or has no vectors.
        MediaError: a file cannot be read.
    """
    rows = [_term(term, model, limits) for term in query.terms]
    found = store.vectors(query.like)
    for id_ in query.like:
        if not len(found.get(id_, ())):
            raise QueryError(f"nothing can be like {id_!r}: there is no such item, or it has no vectors")
        rows.append(found[id_].mean(axis=0))
    weights = [term.weight for term in query.terms] + [1.0] * len(query.like)
    return unit(np.stack(rows)) if rows else np.zeros((0, model.dim), np.float32), weights


def _term(term: Term, model: Model, limits: Limits) -> Array:
    """(dim,): the mean over the parts of the term's modality."""
    if not isinstance(term.content, Path):
        row: Array = model.encode([Part(term.modality, term.content)])[0]
        return row
    read = list(islice(_parts(term.content, model, limits), PARTS))
    parts = [part for part in read if part.modality is term.modality]
    if not parts:
        there = " and ".join(sorted({part.modality.value for part in read}))
        raise QueryError(f"{term.content} holds {there}, no {term.modality.value}")
    mean: Array = model.encode(parts).mean(axis=0)
    return mean


def _parts(path: Path, model: Model, limits: Limits) -> Iterator[Part]:
    chunk = decode(path, model.reading, limits)
    yield from chunk.parts
    while chunk.next is not None:
        chunk = decode(path, model.reading, limits, chunk.next)
        yield from chunk.parts
