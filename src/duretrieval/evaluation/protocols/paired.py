"""Retrieval between items and their captions, the whole split or in folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.evaluation.labels.captions import Captions
from duretrieval.evaluation.labels.relevance import SameGroup
from duretrieval.evaluation.measures import Measure, measures
from duretrieval.evaluation.metrics.blocks import TwoWayScores
from duretrieval.evaluation.metrics.ranking import Ties, per_query
from duretrieval.evaluation.metrics.summary import rsum
from duretrieval.evaluation.result import Evaluation, Pair, Provenance
from duretrieval.evaluation.scoring import score_values
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Floats, Ints, Modality

RECALLS = ("hit@1", "hit@5", "hit@10")


@dataclass(frozen=True, slots=True)
class CaptionProtocol:
    """Captions find their item, and items one of their captions."""

    name: str
    source: str
    """Who defined it, and whose code the numbers of papers come from."""
    modality: Modality
    items: int | None
    """How many there are; None where published splits differ, because clips have vanished."""
    captions: int
    """How many an item has, where no `Captions` says it."""
    folds: int = 1
    """Contiguous, equal shares of the items, each a gallery of its own; figures are means over them."""
    measures: tuple[str, ...] = (*RECALLS, "median-rank", "mean-rank")

    def __call__(
        self,
        scores: TwoWayScores,
        captions: Captions | None = None,
        *,
        ties: Ties = "worst",
        bootstrap: Bootstrap | None = None,
        provenance: Provenance | None = None,
    ) -> Evaluation:
        """Measure scores (items, captions), larger is better, both ways.

        captions: which caption belongs to which item; without, the first `self.captions` columns are of the first row,
        and so on.  The text queries of one item form a cluster for the intervals.

        Raises:
            ShapeError: the matrix is not of the protocol's size, or does not fit the captions.
            EvaluationError: a score is NaN.
        """
        self._check(tuple(scores.shape), captions)
        n, c = scores.shape
        item = np.array(captions.item if captions else np.repeat(np.arange(n), self.captions), dtype=np.int64)
        wanted, bootstrap = measures(self.measures), bootstrap or Bootstrap()
        folds = _folds(item, n // self.folds, self.folds)
        there, back = _measure(scores, item, folds, wanted, ties)
        texts = np.concatenate([texts for _, texts in folds])  # in the order in which the folds ask them
        item_ids = captions.item_ids if captions else [str(row) for row in range(n)]
        text_ids = captions.text_ids if captions else [str(row) for row in range(c)]
        by_item = score_values(
            there,
            wanted,
            self.modality,
            Modality.TEXT,
            queries=item_ids,
            gallery_size=c // self.folds,
            fold=np.arange(n) * self.folds // n if self.folds > 1 else None,
            bootstrap=bootstrap,
        )
        by_text = score_values(
            back,
            wanted,
            Modality.TEXT,
            self.modality,
            queries=[text_ids[row] for row in texts],
            gallery_size=n // self.folds,
            cluster=item[texts],
            fold=item[texts] * self.folds // n if self.folds > 1 else None,
            bootstrap=bootstrap,
        )
        totals = _totals(by_item, by_text)
        return Evaluation(self.name, (by_item, by_text), totals, bootstrap.level, provenance or Provenance())

    def _check(self, shape: tuple[int, ...], captions: Captions | None) -> None:
        n = self.items or (len(captions.items) if captions else shape[0])
        expected = (n, n * self.captions if self.items or not captions else len(captions.texts))
        fits = captions is None or shape == (len(captions.items), len(captions.texts))
        if shape == expected and fits and n and not n % self.folds:
            return
        raise ShapeError(
            f"{self.name} is measured on {self.items or 'any number of'} items with {self.captions} captions each, a "
            f"matrix of shape {expected}, rows for items and columns for captions; got {shape}"
            + (f" with {len(captions.items)} items and {len(captions.texts)} captions" if captions else "")
            + (f", and {n} items do not make {self.folds} equal folds" if n % self.folds else "")
        )


def _folds(item: Ints, size: int, folds: int) -> list[tuple[range, Ints]]:
    """The items of each fold, and their captions."""
    return [
        (range(fold * size, (fold + 1) * size), np.flatnonzero(item // size == fold).astype(np.int64))
        for fold in range(folds)
    ]


def _measure(
    scores: TwoWayScores, item: Ints, folds: list[tuple[range, Ints]], wanted: Sequence[Measure], ties: Ties
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Values per query, item to text and text to item, fold after fold."""
    functions = {measure.name: measure.of for measure in wanted}
    there, back = [], []
    for items, texts in folds:
        part = scores if len(folds) == 1 else np.asarray(scores[items.start : items.stop])[:, texts]
        owners = item[texts].tolist()
        there.append(per_query(functions, part, SameGroup(items, owners), ties=ties))
        back.append(per_query(functions, part.T, SameGroup(owners, items), ties=ties))
    return _joined(there), _joined(back)


def _joined(folds: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([fold[name] for fold in folds]) for name in folds[0]}


def _totals(*pairs: Pair) -> dict[str, float]:
    have = {score.measure for pair in pairs for score in pair.scores}
    if not have.issuperset(RECALLS):
        return {}
    return {"rsum": rsum(pair.score(name).value for pair in pairs for name in RECALLS)}
