"""Class-label retrieval: no pairs, but classes; what has the query's class is relevant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ShapeError
from duretrieval.evaluation.labels.relevance import Relevance, SameGroup, SharedLabel
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.blocks import Scores
from duretrieval.evaluation.metrics.ranking import Ties
from duretrieval.evaluation.result import Evaluation, Provenance
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Ints, Modality


@dataclass(frozen=True, slots=True)
class ClassProtocol:
    """No pairs but classes: relevant is what has the query's class, or shares a label with it."""

    name: str
    source: str
    measures: tuple[str, ...] = ("ap",)
    ties: Ties = "worst"

    def __call__(
        self,
        scores: Scores,
        query_labels: npt.ArrayLike,
        gallery_labels: npt.ArrayLike,
        query: Modality = Modality.IMAGE,
        gallery: Modality = Modality.TEXT,
        *,
        own: Ints | None = None,
        bootstrap: Bootstrap | None = None,
        provenance: Provenance | None = None,
    ) -> Evaluation:
        """Measure scores (q, n) one way; ask again with the other matrix for the other.

        labels: (q,) and (n,) classes, or (q, c) and (n, c) non-zero where a label holds.  own: see `ranking.rank`.

        Raises:
            ShapeError: labels do not fit the scores or each other.
            EvaluationError: a score is NaN.
        """
        a, b = np.asarray(query_labels), np.asarray(gallery_labels)
        if a.ndim != b.ndim or a.ndim not in (1, 2) or (len(a), len(b)) != tuple(scores.shape):
            raise ShapeError(
                f"{self.name}: scores of shape {tuple(scores.shape)} need a row of labels for each query and each "
                f"gallery item; got shapes {a.shape} and {b.shape}"
            )
        relevance: Relevance = SharedLabel(a, b) if a.ndim == 2 else SameGroup(a.tolist(), b.tolist())
        bootstrap = bootstrap or Bootstrap()
        pair = score_matrix(
            scores, relevance, measures(self.measures), query, gallery, ties=self.ties, own=own, bootstrap=bootstrap
        )
        return Evaluation(self.name, (pair,), {}, bootstrap.level, provenance or Provenance())
