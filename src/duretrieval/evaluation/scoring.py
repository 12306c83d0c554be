"""From values per query to a `Pair` of a result: figures and their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from duretrieval.evaluation.labels.relevance import Relevance
from duretrieval.evaluation.measures import Measure
from duretrieval.evaluation.metrics.blocks import Scores
from duretrieval.evaluation.metrics.ranking import per_query
from duretrieval.evaluation.result import Pair, Score, Side
from duretrieval.evaluation.statistics.bootstrap import Bootstrap, Interval, intervals, summary
from duretrieval.types import Floats, Ints


def score_matrix(
    scores: Scores,
    relevance: Relevance,
    measures: Sequence[Measure],
    query: Side,
    gallery: Side,
    *,
    queries: Sequence[str] | None = None,
    cluster: Ints | None = None,
    bootstrap: Bootstrap | None = None,
    **options: Any,
) -> Pair:
    """Measure scores (q, n), or anything that gives its rows, against what is relevant.

    queries: (q,) ids; "0", "1" ... without.  options: as `ranking.rank`.

    Raises:
        ShapeError, EvaluationError: as `ranking.rank`.
    """
    values = per_query({measure.name: measure.of for measure in measures}, scores, relevance, **options)
    return score_values(
        values,
        measures,
        query,
        gallery,
        queries=queries or [str(i) for i in range(scores.shape[0])],
        gallery_size=scores.shape[1],
        cluster=cluster,
        bootstrap=bootstrap,
    )


def score_values(
    values: Mapping[str, Floats],
    measures: Sequence[Measure],
    query: Side,
    gallery: Side,
    *,
    queries: Sequence[str],
    gallery_size: int,
    cluster: Ints | None = None,
    fold: Ints | None = None,
    bootstrap: Bootstrap | None = None,
) -> Pair:
    """Figures and intervals from each measure's values (q,) per query."""
    bootstrap = bootstrap or Bootstrap()
    columns = np.stack([values[measure.name] for measure in measures], axis=1)
    bounds = intervals(columns, [measure.statistic for measure in measures], bootstrap, cluster=cluster, fold=fold)
    scored = []
    for measure, column, bound in zip(measures, columns.T, bounds, strict=True):
        n = int((~np.isnan(column)).sum())
        low, high = _widened(column, bound, measure, cluster, bootstrap.level)
        value = summary(column, measure.statistic, fold)
        scored.append(Score(measure.name, value, low, high, n, column.copy()))
    return Pair(query, gallery, tuple(queries), gallery_size, tuple(scored), cluster, fold)


def _widened(column: Floats, bound: Interval, measure: Measure, cluster: Ints | None, level: float) -> Interval:
    """A share that was 0 (or 1) for every query: what it could still be, by the exact binomial of n clear trials.

    (tail)^(1/n), Clopper and Pearson 1934: the bootstrap cannot draw what it never saw.
    """
    there = ~np.isnan(column)
    if not measure.larger_is_better or not there.any():
        return bound
    trials = int(there.sum()) if cluster is None else len(np.unique(cluster[there]))
    could = float(((1 - level) / 2) ** (1 / trials))
    if (column[there] == 0).all():
        return Interval(0.0, 1 - could)
    return Interval(could, 1.0) if (column[there] == 1).all() else bound
