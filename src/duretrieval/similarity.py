"""Scores between rows of two matrices; a larger score is always better."""

from __future__ import annotations

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.types import Array


def unit(vectors: Array) -> Array:
    """Rows scaled to length 1: (n, d) -> (n, d) float32; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    rows: Array = np.divide(vectors, norms, out=np.zeros_like(vectors, dtype=np.float32), where=norms > 0)
    return rows


def cosine(a: Array, b: Array) -> Array:
    """Cosine of every row of a (n, d) with every row of b (m, d): (n, m), in [-1, 1].

    cos(a, b) = a·b / (|a| |b|).  cosine([[1, 0]], [[2, 0], [0, 3]]) == [[1, 0]].  A zero row scores 0 with all.
    """
    _same_width(a, b)
    scores: Array = unit(a) @ unit(b).T
    return scores


def euclidean(a: Array, b: Array) -> Array:
    """Negative Euclidean distance, so that larger is better: (n, d), (m, d) -> (n, m), in (-inf, 0].

    -|a - b| = -sqrt(|a|² + |b|² - 2 a·b).  euclidean([[0, 0]], [[3, 4]]) == [[-5]].
    On unit rows it ranks as cosine does.
    """
    _same_width(a, b)
    squared = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1)[None, :] - 2 * (a @ b.T)
    distance: Array = np.sqrt(np.maximum(squared, 0)).astype(np.float32)
    return -distance


def _same_width(a: Array, b: Array) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ShapeError(f"expected two matrices with rows of equal length; got shapes {a.shape} and {b.shape}")
