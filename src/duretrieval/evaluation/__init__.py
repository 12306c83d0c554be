"""Measure what a search finds: the metrics of the field, with the certainty they have.

    scores ──ranking──▶ ranks ──metrics──▶ values per query ──scoring──▶ Evaluation ──compare──▶ which is better

`metrics` are pure functions; `protocols` name how the field measures on its data sets, `readers` read their files;
`runs` are ranked lists on disk; `compare` says which differences are real. Nothing here imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.evaluation.comparison import Difference as Difference
    from duretrieval.evaluation.comparison import compare as compare
    from duretrieval.evaluation.comparison import gate as gate
    from duretrieval.evaluation.evaluated import Evaluated as Evaluated
    from duretrieval.evaluation.health.health import Health as Health
    from duretrieval.evaluation.health.health import Latency as Latency
    from duretrieval.evaluation.health.health import measure_health as measure_health
    from duretrieval.evaluation.judging import JudgementFile as JudgementFile
    from duretrieval.evaluation.judging import JudgingSession as JudgingSession
    from duretrieval.evaluation.judging import Question as Question
    from duretrieval.evaluation.labels.captions import Captions as Captions
    from duretrieval.evaluation.labels.relevance import Relevance as Relevance
    from duretrieval.evaluation.labels.relevance import Relevant as Relevant
    from duretrieval.evaluation.labels.relevance import SameGroup as SameGroup
    from duretrieval.evaluation.labels.relevance import SharedLabel as SharedLabel
    from duretrieval.evaluation.labels.relevance import relevant as relevant
    from duretrieval.evaluation.measures import Measure as Measure
    from duretrieval.evaluation.metrics.hashing import class_map as class_map
    from duretrieval.evaluation.metrics.ranking import rank as rank
    from duretrieval.evaluation.protocols import FLICKR30K_1K as FLICKR30K_1K
    from duretrieval.evaluation.protocols import PROTOCOLS as PROTOCOLS
    from duretrieval.evaluation.ranks import Ranks as Ranks
    from duretrieval.evaluation.ranks import ranks_of as ranks_of
    from duretrieval.evaluation.report import look as look
    from duretrieval.evaluation.report import write_report as write_report
    from duretrieval.evaluation.request import Request as Request
    from duretrieval.evaluation.request import evaluate as evaluate
    from duretrieval.evaluation.request import recognise as recognise
    from duretrieval.evaluation.result import Evaluation as Evaluation
    from duretrieval.evaluation.result import Pair as Pair
    from duretrieval.evaluation.result import Provenance as Provenance
    from duretrieval.evaluation.result import Score as Score
    from duretrieval.evaluation.result_json import load as load
    from duretrieval.evaluation.result_json import save as save
    from duretrieval.evaluation.scoring import score_matrix as score_matrix
    from duretrieval.evaluation.statistics.bootstrap import Bootstrap as Bootstrap
    from duretrieval.evaluation.statistics.bootstrap import Comparison as Comparison
    from duretrieval.evaluation.statistics.bootstrap import Interval as Interval
    from duretrieval.evaluation.statistics.bootstrap import intervals as intervals
    from duretrieval.evaluation.statistics.bootstrap import paired_bootstrap as paired_bootstrap
    from duretrieval.evaluation.statistics.corrections import benjamini_hochberg as benjamini_hochberg
    from duretrieval.evaluation.statistics.corrections import holm as holm
    from duretrieval.evaluation.statistics.permutation import permutation_test as permutation_test
    from duretrieval.evaluation.subjects.collection import evaluate_collection as evaluate_collection
    from duretrieval.evaluation.subjects.matrix import evaluate_matrix as evaluate_matrix
    from duretrieval.evaluation.subjects.model import evaluate_model as evaluate_model
    from duretrieval.evaluation.subjects.mteb import MtebEncoder as MtebEncoder
    from duretrieval.evaluation.subjects.run import evaluate_run as evaluate_run
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "evaluated": "Evaluated",
            "health.health": "Health Latency measure_health",
            "judging": "JudgementFile Question JudgingSession",
            "labels.relevance": "Relevance Relevant SameGroup SharedLabel relevant",
            "labels.captions": "Captions",
            "metrics.hashing": "class_map",
            "measures": "Measure",
            "metrics.ranking": "rank",
            "ranks": "Ranks ranks_of",
            "protocols": "FLICKR30K_1K PROTOCOLS",
            "report": "look write_report",
            "request": "Request evaluate recognise",
            "result": "Evaluation Pair Provenance Score",
            "result_json": "load save",
            "scoring": "score_matrix",
            "statistics.bootstrap": "Bootstrap Comparison Interval intervals paired_bootstrap",
            "comparison": "Difference compare gate",
            "statistics.corrections": "benjamini_hochberg holm",
            "statistics.permutation": "permutation_test",
            "subjects.collection": "evaluate_collection",
            "subjects.matrix": "evaluate_matrix",
            "subjects.model": "evaluate_model",
            "subjects.mteb": "MtebEncoder",
            "subjects.run": "evaluate_run",
        },
    )
