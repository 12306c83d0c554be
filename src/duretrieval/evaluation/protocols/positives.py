"""Retrieval with several right answers: judged by people, for some of the queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duretrieval.evaluation.labels.captions import Captions
from duretrieval.evaluation.labels.relevance import Relevant
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.metrics.blocks import TwoWayScores
from duretrieval.evaluation.metrics.ranking import Ties
from duretrieval.evaluation.result import Evaluation, Provenance
from duretrieval.evaluation.scoring import score_matrix
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Modality


@dataclass(frozen=True, slots=True)
class PositivesProtocol:
    """Several right answers for a query, judged by people, and only some of the queries judged."""

    name: str
    source: str
    modality: Modality
    measures: tuple[str, ...] = ("ap@r", "r-precision", "hit@1")

    def __call__(
        self,
        scores: TwoWayScores,
        texts_of_item: Relevant,
        items_of_text: Relevant,
        captions: Captions | None = None,
        *,
        ties: Ties = "worst",
        bootstrap: Bootstrap | None = None,
        provenance: Provenance | None = None,
    ) -> Evaluation:
        """Measure scores (items, captions) both ways; queries without positives are left out, galleries stay whole.

        Raises:
            ShapeError: relevance is not for all items, or all captions.
            EvaluationError: a score is NaN, or a positive is not in the gallery.
        """
        wanted = measures(self.measures)
        bootstrap = bootstrap or Bootstrap()
        by_item = score_matrix(
            scores,
            texts_of_item,
            wanted,
            self.modality,
            Modality.TEXT,
            queries=captions.item_ids if captions else None,
            ties=ties,
            bootstrap=bootstrap,
        )
        by_text = score_matrix(
            scores.T,
            items_of_text,
            wanted,
            Modality.TEXT,
            self.modality,
            queries=captions.text_ids if captions else None,
            cluster=np.array(captions.item, dtype=np.int64) if captions else None,
            ties=ties,
            bootstrap=bootstrap,
        )
        return Evaluation(self.name, (by_item, by_text), {}, bootstrap.level, provenance or Provenance())
