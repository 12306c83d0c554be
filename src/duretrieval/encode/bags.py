"""A text as a bag: what is in it (ids) and how much of each (weights). Its row is the weighted sum of a table's rows.

Words, character n-grams and word vectors differ in how they read a text into a bag; the rest is here. The last id, one
past those a reader knows, stands for a text in which nothing is known, so that such a text has a row too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from duretrieval.similarity import unit
from duretrieval.types import Array

Ids = npt.NDArray[np.int64]
Bag = tuple[Ids, Array]
"""Ids (m,), each once, rising, and weights (m,) above 0; m >= 1."""


def bag(amounts: Mapping[int, float], nothing: int) -> Bag:
    """From amounts by id; nothing: the id that stands for an empty bag."""
    ids = sorted(amounts) or [nothing]
    return np.array(ids, np.int64), np.array([amounts.get(id, 1.0) for id in ids], np.float32)


def damped(count: float) -> float:
    """1 + ln(count), count >= 1: a word that comes twice says more, but not twice as much."""
    return 1.0 + float(np.log(count))


def sums(bags: Sequence[Bag], table: Array | None, size: int) -> Array:
    """sum_i w_i T[i] of each bag; T: (size, d), or the identity where table is None.  Result: (len(bags), d)."""
    out = np.zeros((len(bags), size if table is None else table.shape[1]), np.float32)
    for row, (ids, weights) in zip(out, bags, strict=True):
        if table is None:
            row[ids] = weights
        else:
            row[:] = weights @ table[ids]
    return out


def document_frequency(bags: Iterable[Bag], size: int) -> tuple[Ids, int]:
    """How many bags hold each id, (size,), and how many bags there are."""
    held: Counter[int] = Counter()
    n = 0
    for ids, _ in bags:
        held.update(ids.tolist())
        n += 1
    return np.array([held[id] for id in range(size)], np.int64), n


def inverse_frequency(held: Ids, n: int) -> Array:
    """ln((1 + n) / (1 + n_i)) + 1, n_i of n texts holding i: never 0, and large for what is rare.

    Spärck Jones 1972, "A statistical interpretation of term specificity", smoothed as if one more text held everything.
    """
    weights: Array = (np.log((1 + n) / (1 + held)) + 1).astype(np.float32)
    return weights


def with_nothing(table: Array) -> Array:
    """The table (m, d) and one more row, for a text of nothing known: the direction of the mean of the others.

    What has a row of zeros (nothing was learned about it) gets that row too.
    """
    mean = unit(table.mean(axis=0, dtype=np.float64)[None].astype(np.float32))
    nothing = mean if mean.any() else np.full_like(mean, table.shape[1] ** -0.5)
    filled = np.where(table.any(axis=1, keepdims=True), table, nothing)
    return np.concatenate([filled, nothing], dtype=np.float32)
