"""Which filters to try a collection with, and what to ask: chosen from what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from duretrieval.collection.query import is_nothing
from duretrieval.errors import EvaluationError
from duretrieval.index.filters import named, quoted
from duretrieval.protocols import ReadView
from duretrieval.types import Array, Item, Modality, Scalar

Asked = Literal["any-query", "inside", "outside"]
SHARES = (0.5, 0.1, 0.01)
"""Of the items, that filters over a number keep: they have little to do with what a vector says."""
FIELDS = 2
"""Fields of a few values that are tried: they have much to do with it."""
FEW_VALUES = 200
USUAL = ("kind", "ext", "name", "title", "artist", "camera")
"""Fields that every collection has; the user's own say more."""
QUERY_WORDS = 8


@dataclass(frozen=True, slots=True)
class FilterTrial:
    """A filter, the items it must keep by our own reckoning, and who asks."""

    where: str | None
    keeps: frozenset[str]
    """Ids."""
    asked: Asked


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A look through a collection."""

    items: int
    """Those with vectors."""
    trials: tuple[FilterTrial, ...]
    vectors: Array
    """(q, d) unit rows of parts drawn at random: queries."""
    owners: tuple[str, ...]
    """(q,) the item of each."""
    texts: tuple[str, ...]
    """Words to search with: what texts begin with, and what files are called."""


def survey(store: ReadView, queries: int, seed: int = 0) -> Survey:
    """Read every item once, and every vector once.

    queries: about as many texts, and four times as many vectors, since some trials ask only from inside a filter.
    """
    rng = np.random.default_rng(seed)
    fields: dict[str, Mapping[str, Scalar]] = {}
    words: list[str] = []
    for item in store.scan():
        if item.parts:
            fields[item.id] = {"source": item.source, **item.fields}
            words += [said for said in [_words(item)] if not is_nothing(said)]
    vectors, owners = _drawn(store, 4 * queries, rng)
    texts = [words[i] for i in rng.permutation(len(words))[:queries]]
    texts = [texts[i % len(texts)] for i in range(queries)] if texts else []
    kinds = {name: kind for name, kind in store.fields().items() if "`" not in name}  # which no filter can name
    return Survey(len(fields), tuple(_trials(kinds, fields)), vectors, owners, tuple(texts))


def _drawn(store: ReadView, wanted: int, rng: np.random.Generator) -> tuple[Array, tuple[str, ...]]:
    total = sum(store.count_parts().values())
    chosen = np.sort(rng.permutation(total)[:wanted])
    rows: list[Array] = []
    owners: list[str] = []
    at = 0
    for keys, block in store.parts():
        here = chosen[(chosen >= at) & (chosen < at + len(keys))] - at
        rows.append(block[here])
        owners.extend(keys[i][0] for i in here.tolist())
        at += len(keys)
    if not owners:
        raise EvaluationError("the collection holds no vector to ask with; index something first")
    order = rng.permutation(len(owners))
    return np.concatenate(rows)[order], tuple(owners[i] for i in order.tolist())


def _trials(kinds: Mapping[str, str], fields: Mapping[str, Mapping[str, Scalar]]) -> list[FilterTrial]:
    everything = frozenset(fields)
    trials = [FilterTrial(None, everything, "any-query")]
    if name := _spread(kinds, fields):
        held = {id_: values[name] for id_, values in fields.items() if values.get(name) is not None}
        ordered = sorted(held.values())
        for share in SHARES:
            limit = ordered[max(0, round(share * len(ordered)) - 1)]
            keeps = frozenset(id_ for id_, value in held.items() if value <= limit)  # type: ignore[operator]
            literal = quoted(limit) if isinstance(limit, str) else repr(limit)
            trials.append(FilterTrial(f"{named(name)} <= {literal}", keeps, "any-query"))
    for name, value in _groups(kinds, fields):
        keeps = frozenset(id_ for id_, values in fields.items() if values.get(name) == value)
        trials += [FilterTrial(f"{named(name)} = {quoted(value)}", keeps, asked) for asked in ("inside", "outside")]
    return list(dict.fromkeys(trials))


def _spread(kinds: Mapping[str, str], fields: Mapping[str, Mapping[str, Scalar]]) -> str | None:
    """The field of numbers that most items have and that varies most; the source, as text, where there is none."""
    numbers = [name for name, kind in kinds.items() if kind in ("integer", "number")]
    spread = {name: len({v[name] for v in fields.values() if v.get(name) is not None}) for name in numbers}
    best = max(spread, key=lambda name: spread[name], default=None)
    return best if best is not None and spread[best] > 10 else "source"


def _groups(kinds: Mapping[str, str], fields: Mapping[str, Mapping[str, Scalar]]) -> list[tuple[str, str]]:
    """(field, value) whose value has a tenth of the items, or as near to that as there is."""
    found: list[tuple[bool, float, str, str]] = []
    for name in (name for name, kind in kinds.items() if kind == "text" and name not in ("source", "problem")):
        counts = Counter(str(v[name]) for v in fields.values() if v.get(name) is not None)
        if 1 < len(counts) <= FEW_VALUES:
            value = min(counts, key=lambda value: (abs(counts[value] / len(fields) - 0.1), value))
            if counts[value] > 1:
                found.append((name in USUAL, abs(counts[value] / len(fields) - 0.1), name, value))
    return [(name, value) for _, _, name, value in sorted(found)[:FIELDS]]


def _words(item: Item) -> str:
    text = next((p.content for p in item.parts if p.modality is Modality.TEXT and isinstance(p.content, str)), "")
    words: Sequence[str] = text.split()[:QUERY_WORDS]
    name = Path(str(item.fields.get("name", item.id))).stem.replace("_", " ").replace("-", " ")
    return " ".join(words)[:80] or name
