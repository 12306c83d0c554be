"""Metrics as small pure functions: `Ranks` to a value per query, values to the number a paper prints.

Queries without relevant items get NaN, and summaries leave them out. Ties are decided before, where ranks are made
(`ranking.rank`). Items that are copies of one another count one by one: say that they are all relevant
(`relevance.SameGroup`), or remove them.
"""

from duretrieval.evaluation.metrics.at_k import hit_at_k, precision_at_k, r_precision, recall_at_k
from duretrieval.evaluation.metrics.average import average_precision, average_precision_at_r
from duretrieval.evaluation.metrics.classification import accuracy, decisions, f1, precision, recall
from duretrieval.evaluation.metrics.correlation import pearson, spearman
from duretrieval.evaluation.metrics.first import first_rank, reciprocal_rank
from duretrieval.evaluation.metrics.gain import ndcg
from duretrieval.evaluation.metrics.summary import mean, median, rsum

__all__ = [
    "accuracy",
    "average_precision",
    "average_precision_at_r",
    "decisions",
    "f1",
    "first_rank",
    "hit_at_k",
    "mean",
    "median",
    "ndcg",
    "pearson",
    "precision",
    "precision_at_k",
    "r_precision",
    "recall",
    "recall_at_k",
    "reciprocal_rank",
    "rsum",
    "spearman",
]
