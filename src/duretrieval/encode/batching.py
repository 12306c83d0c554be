"""Rows in bounded batches, and rows pooled per part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.types import Array

ROWS = 32
"""Rows in one run of a graph: enough to keep the cores busy, little enough for any memory."""


def in_batches(rows: Iterable[npt.NDArray[Any]], run: Callable[[npt.NDArray[Any]], Array], dim: int) -> Array:
    """`run` over `ROWS` rows at a time: n arrays of equal shape -> (n, dim).

    rows may be lazy: no more than one batch of it is alive at once.
    """
    source = iter(rows)
    out = [np.zeros((0, dim), dtype=np.float32)]
    while batch := list(islice(source, ROWS)):
        out.append(run(np.stack(batch)))
    return np.concatenate(out)


def mean_per_part(rows: Array, counts: Sequence[int]) -> Array:
    """Mean of each part's rows, which follow one another: (sum(counts), d) -> (len(counts), d).

    mean_per_part([[1, 0], [3, 0], [0, 5]], [2, 1]) == [[2, 0], [0, 5]].  Every count is at least 1.
    """
    if not counts:
        return rows[:0]
    ends = np.cumsum(counts)
    sums = np.add.reduceat(rows, ends - np.asarray(counts), axis=0)
    means: Array = (sums / np.asarray(counts)[:, None]).astype(np.float32)
    return means
