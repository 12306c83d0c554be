"""What can be measured: a collection, a model, a run on disk, a matrix of similarities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.evaluation.subjects.collection import evaluate_collection as evaluate_collection
    from duretrieval.evaluation.subjects.matrix import evaluate_matrix as evaluate_matrix
    from duretrieval.evaluation.subjects.model import evaluate_model as evaluate_model
    from duretrieval.evaluation.subjects.ranked import score_run as score_run
    from duretrieval.evaluation.subjects.run import evaluate_run as evaluate_run
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "collection": "evaluate_collection",
            "matrix": "evaluate_matrix",
            "model": "evaluate_model",
            "ranked": "score_run",
            "run": "evaluate_run",
        },
    )
