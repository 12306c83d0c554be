"""Rows through a graph, and rows pooled per part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.onnx import Session
from duretrieval.types import Array


def one_by_one(rows: Iterable[npt.NDArray[Any]], graph: Session, name: str, dim: int) -> Array:
    """Each row through the graph's input `name` by itself: n arrays -> (n, dim).

    A convolutional network on a CPU is fastest so: the layers of one small picture stay in the cache, those of 32 do
    not. And a row's result cannot depend on its neighbours.
    """
    return np.concatenate([np.zeros((0, dim), np.float32), *graph.run_each({name: row[None]} for row in rows)])


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
