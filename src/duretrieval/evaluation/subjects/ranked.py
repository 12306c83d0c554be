"""Ranked lists and judgements, to figures: what a run on disk and a searched collection have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import Measure
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.report.exhibit import Exhibit
from duretrieval.evaluation.result import Pair, Side
from duretrieval.evaluation.runs.judgement import judge
from duretrieval.evaluation.runs.rows import Judgements, Run
from duretrieval.evaluation.scoring import score_values
from duretrieval.evaluation.statistics.bootstrap import Bootstrap


def score_run(
    run: Run,
    judgements: Judgements,
    measures: Sequence[Measure],
    query: Side = "any",
    gallery: Side = "any",
    *,
    gallery_size: int | None = None,
    bootstrap: Bootstrap | None = None,
) -> Pair:
    """Figures of the judged queries; one that the run does not answer has the worst value.

    gallery_size: without, as many as the run and the judgements name.
    """
    queries, ranks = judge(run, judgements)
    return score_values(
        {measure.name: measure.of(ranks) for measure in measures},
        measures,
        query,
        gallery,
        queries=queries,
        gallery_size=len(named(run, judgements)) if gallery_size is None else gallery_size,
        bootstrap=bootstrap,
    )


def run_material(
    pair: str,
    run: Run,
    judgements: Judgements,
    query: Callable[[str], Exhibit],
    item: Callable[[str], Exhibit],
) -> Material:
    """The same for a report; `query` and `item` show an id."""
    queries, items = list(judgements), named(run, judgements)
    row = {identity: at for at, identity in enumerate(items)}
    wanted = relevant([{row[identity]: gain for identity, gain in judgements[q].items()} for q in queries])
    return Material(pair, RunScores(run, queries, items), wanted, lambda i: query(queries[i]), lambda i: item(items[i]))


def named(run: Run, judgements: Judgements) -> list[str]:
    """Every item that the judged queries' lists or their judgements name, sorted."""
    return sorted({item for query, gains in judgements.items() for item in (*run.get(query, {}), *gains)})


class RunScores:
    """A run as a matrix (q, n) that is made a few rows at a time; -inf where a list does not hold an item."""

    def __init__(self, run: Run, queries: Sequence[str], items: Sequence[str]) -> None:
        self._run, self._queries = run, queries
        self._column = {item: column for column, item in enumerate(items)}

    @property
    def shape(self) -> tuple[int, int]:
        """(q, n)."""
        return len(self._queries), len(self._column)

    def __getitem__(self, rows: slice) -> npt.NDArray[np.float64]:
        asked = self._queries[rows]
        out = np.full((len(asked), len(self._column)), -np.inf)
        for i, query in enumerate(asked):
            for item, score in self._run.get(query, {}).items():
                out[i, self._column[item]] = score
        return out
