"""The best k of a matrix of scores as a run, to keep or to compare with another tool."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.evaluation.metrics.at_k import check_k
from duretrieval.evaluation.metrics.blocks import Scores, blocks
from duretrieval.evaluation.runs.rows import Run


def top(scores: Scores, queries: Sequence[str], gallery: Sequence[str], k: int) -> Run:
    """The k best of each row (q, n), best first; equal scores by gallery row. -inf, not retrieved, is left out.

    >>> top(np.array([[0.1, 0.9, 0.5]]), ["q"], ["a", "b", "c"], k=2)
    {'q': {'b': 0.9, 'c': 0.5}}

    Raises:
        ShapeError: not an id for each row and column.
        EvaluationError: a score is NaN.
        ConfigError: k is below 1.
    """
    check_k(k)
    if tuple(scores.shape) != (len(queries), len(gallery)):
        raise ShapeError(f"scores {tuple(scores.shape)} need ids for each; got {len(queries)} and {len(gallery)}")
    run: Run = {}
    for start, _, rows in blocks(scores):
        for query, row in zip(queries[start : start + len(rows)], rows, strict=True):
            least = np.partition(row, -k)[-k] if k < len(row) else -np.inf
            near = np.flatnonzero((row >= least) & ~np.isneginf(row))
            best = near[np.argsort(-row[near], kind="stable")][:k]
            run[query] = {gallery[item]: float(row[item]) for item in best}
    return run
