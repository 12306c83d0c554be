"""What every fitted aligner asks of the pairs it learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError, ShapeError

Rows = npt.NDArray[np.floating[Any]]


def check_pairs(x: Rows, y: Rows) -> None:
    """Refuse pairs that nothing can be learned from: x (n, d_in), y (n, dim), row i of one with row i of the other.

    Raises:
        ShapeError: not two matrices of as many rows, or fewer than 2 pairs.
        ConfigError: a value is not finite, or all rows of one side are the same.
    """
    for name, rows in (("x", x), ("y", y)):
        _check_shape(name, rows)
    if len(x) != len(y):
        raise ShapeError(f"x has {len(x)} rows and y has {len(y)}; row i of x must be the pair of row i of y")
    if len(x) < 2:
        raise ShapeError(f"an aligner cannot be fitted to {len(x)} pairs; give at least 2, better some thousands")
    for name, rows in (("x", x), ("y", y)):
        _check_values(name, rows)


def check_rows(name: str, rows: Rows) -> None:
    """Refuse vectors (n, d) of one kind that nothing can be learned from. Raises as `check_pairs`."""
    _check_shape(name, rows)
    if len(rows) < 2:
        raise ShapeError(f"nothing can be fitted to {len(rows)} vectors; give at least 2, better some thousands")
    _check_values(name, rows)


def _check_shape(name: str, rows: Rows) -> None:
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ShapeError(f"expected {name} to be a matrix with one vector a row, (n, d); got shape {rows.shape}")


def _check_values(name: str, rows: Rows) -> None:
    # A sum is finite only where all its terms are (or it overflows, which is no better), and needs no copy.
    with np.errstate(invalid="ignore", over="ignore"):
        bad = np.flatnonzero(~np.isfinite(rows.sum(axis=1, dtype=np.float64)))
    if len(bad):
        raise ConfigError(
            f"{len(bad)} of the {len(rows)} rows of {name} hold NaN or infinity, the first of them row {bad[0]}; "
            "leave these pairs out of both x and y"
        )
    # In a column that varies, some row differs from the first; most often the second one does.
    if not any((row != rows[0]).any() for row in rows[1:]):
        raise ConfigError(
            f"all {len(rows)} rows of {name} are the same, so there is nothing to align; check how it was made"
        )
