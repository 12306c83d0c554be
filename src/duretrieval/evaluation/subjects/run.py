"""A run on disk against judgements on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from duretrieval import __version__
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.report.exhibit import of_text
from duretrieval.evaluation.result import Evaluation, Provenance, Side
from duretrieval.evaluation.runs import read_judgements, read_run
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.ranked import run_material, score_run
from duretrieval.media.folders import digest

MEASURES = ("hit@1", "hit@5", "hit@10", "recall@100", "ndcg@10", "rr", "ap", "median-rank")


def evaluate_run(
    run: str | Path,
    judgements: str | Path,
    query: Side = "any",
    gallery: Side = "any",
    *,
    names: Sequence[str] = MEASURES,
    bootstrap: Bootstrap | None = None,
    command: str = "",
) -> Evaluated:
    """Measure what a search has ranked.  names: metrics, as `measures.measure` knows them.

    Raises:
        EvaluationError: a file is not what its name says, or the two have no query in common.
    """
    run = Path(run)
    judgements = Path(judgements)
    ranked, judged = read_run(run), read_judgements(judgements)
    if not ranked.keys() & judged.keys():
        example = f", such as {next(iter(judged))!r}" if judged else ""
        raise EvaluationError(
            f"{run} answers none of the {len(judged)} queries that {judgements} judges{example}; "
            "do they number queries alike?"
        )
    bootstrap = bootstrap or Bootstrap()
    pair = score_run(ranked, judged, measures(names), query, gallery, bootstrap=bootstrap)
    silent = [q for q in judged if q not in ranked]
    notes = [f"{len(silent)} judged queries are not answered in {run}; they count as not found"] if silent else []
    source = Provenance(data=digest(judgements), command=command, version=__version__)
    material = run_material(pair.name, ranked, judged, of_text, of_text)
    return Evaluated(Evaluation(run.name, (pair,), {}, bootstrap.level, source), (material,), None, tuple(notes))
