"""Means and products of tall matrices in float64, a block of rows at a time, so that memory does not grow with n."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from duretrieval.align.pairs import Rows
from duretrieval.types import Floats

BLOCK = 4096
"""Rows in float64 at once."""


def mean(x: Rows) -> Floats:
    """Mean of the rows: (n, d) -> (d,)."""
    total: Floats = np.zeros(x.shape[1])
    for rows in _blocks(len(x)):
        total += x[rows].sum(axis=0, dtype=np.float64)
    return total / len(x)


def product(x: Rows, mean_x: Floats, y: Rows, mean_y: Floats) -> Floats:
    """sum_i (x_i - mean_x)ᵀ (y_i - mean_y): (n, d), (d,), (n, e), (e,) -> (d, e)."""
    total: Floats = np.zeros((x.shape[1], y.shape[1]))
    for rows in _blocks(len(x)):
        centred = x[rows] - mean_x
        total += centred.T @ (centred if y is x else y[rows] - mean_y)
    return total


def energy(x: Rows, mean_x: Floats) -> float:
    """Sum of squares about the mean: sum_i |x_i - mean_x|²."""
    return float(sum(np.sum(np.square(x[rows] - mean_x)) for rows in _blocks(len(x))))


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))
