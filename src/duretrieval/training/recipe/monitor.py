"""What decides which check of a run is the best: a metric of retrieval, of classes, of scored pairs, or the loss."""

from __future__ import annotations

from duretrieval.evaluation.measures import measure
from duretrieval.evaluation.metrics.correlation import CORRELATIONS

CLASSES = ("accuracy", "recall", "f1")
GRADED = tuple(CORRELATIONS)
"""Of similarities with the scores of rows."""
LOSS = "loss"


def sign(monitor: str) -> int:
    """1 where a larger figure is the better one, -1 where a smaller is: a run makes `sign * figure` as large as can be.

    Raises:
        ConfigError: as `evaluation.measures.measure`.
    """
    if monitor in (*CLASSES, *GRADED, LOSS):
        return -1 if monitor == LOSS else 1
    return 1 if measure(monitor).larger_is_better else -1
