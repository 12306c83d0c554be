"""Class probabilities as unit rows."""

from __future__ import annotations

import numpy as np

from duretrieval.types import Array


def hellinger(scores: Array) -> Array:
    """Square roots of scores that are made to sum to 1: (n, c) >= 0 -> (n, c) unit rows.

    h(p) = sqrt(p / sum p).  The cosine of two such rows is the Bhattacharyya coefficient sum_i sqrt(p_i q_i)
    (Bhattacharyya 1943), and their Euclidean distance is sqrt(2) times the Hellinger distance of p and q.
    hellinger([[1, 3]]) == [[0.5, 0.866]].  A row of zeros says nothing and becomes uniform.

    The sum makes one distribution of independent scores, such as the sigmoids of AudioSet's classes; probabilities
    that already sum to 1 stay as they are.
    """
    scores = np.maximum(scores, np.float32(1e-12))
    rows: Array = np.sqrt(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)
    return rows
