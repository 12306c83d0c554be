"""What figures cannot say of a pair: scores of right and wrong answers, and the queries that went worst and best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from duretrieval.evaluation.labels.relevance import Relevance, Relevant
from duretrieval.evaluation.metrics.blocks import Scores, blocks
from duretrieval.evaluation.report.exhibit import Exhibit
from duretrieval.types import Floats, Ints

TOP = 3
WORST, BEST = 6, 3
SAMPLED = 50_000
"""Scores of wrong answers that are drawn, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a pair was measured on, and how to look at it.

    query, item: a row of the scores, or a column, to what is shown of it; called for the few that are shown.
    """

    pair: str
    """As "text-image"."""
    scores: Scores
    relevance: Relevance
    query: Callable[[int], Exhibit]
    item: Callable[[int], Exhibit]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One of the first results."""

    exhibit: Exhibit
    score: float
    right: bool


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A query, what it found, and its right answer where that is not among it."""

    query: Exhibit
    rank: float
    """Of the first right answer; inf where it was not found."""
    found: tuple[Found, ...]
    answer: Found | None


@dataclass(frozen=True, slots=True, eq=False)
class Closeup:
    """A pair, looked at closely."""

    pair: str
    relevant: Floats
    """Scores of right answers; those not retrieved are left out."""
    irrelevant: Floats
    """Scores of wrong answers, drawn at random."""
    counts: Ints
    """(q,) how many right answers each query has."""
    worst: tuple[Case, ...]
    """Queries whose first result is wrong, the right one furthest away first."""
    best: tuple[Case, ...]
    """Queries whose first result is right, by the widest margin first."""

    @property
    def separation(self) -> float:
        """How often a right answer scores above a wrong one, ties half: the area under the ROC curve; NaN unknown."""
        if not len(self.relevant) or not len(self.irrelevant):
            return float("nan")
        wrong = np.sort(self.irrelevant)
        below = np.searchsorted(wrong, self.relevant, "left") + np.searchsorted(wrong, self.relevant, "right")
        return float(below.mean() / 2 / len(wrong))


def look(material: Material, seed: int = 0) -> Closeup:
    """Go through the scores once, and look at the queries that stand out.

    Raises:
        EvaluationError: a score is NaN.
    """
    rng = np.random.default_rng(seed)
    q, _ = material.scores.shape
    draws = max(1, SAMPLED // max(q, 1))
    right, wrong, ranks, margins, counts = [], [], [], [], []
    for start, stop, rows in blocks(material.scores):
        wanted = material.relevance.rows(start, stop)
        query = np.repeat(np.arange(stop - start), np.diff(wanted.start))
        scores = rows[query, wanted.item]
        best = np.full(stop - start, -np.inf)
        np.maximum.at(best, query, scores)
        rows[query, wanted.item] = -np.inf
        ranks.append(np.where(np.isneginf(best), np.inf, 1.0 + np.count_nonzero(rows >= best[:, None], axis=1)))
        margins.append(_margin(best, rows.max(axis=1, initial=-np.inf)))
        counts.append(np.diff(wanted.start))
        drawn = rows[np.arange(stop - start)[:, None], rng.integers(0, rows.shape[1], (stop - start, draws))]
        right.append(scores[~np.isneginf(scores)])
        wrong.append(drawn[~np.isneginf(drawn)])
    counted = np.concatenate([np.zeros(0, np.int64), *counts])
    all_ranks = np.concatenate([np.zeros(0), *ranks])
    order = _order(all_ranks, np.concatenate([np.zeros(0), *margins]), counted)
    first = all_ranks[order] == 1
    worst, best_ones = order[~first][::-1][:WORST], order[first][:BEST]
    return Closeup(
        pair=material.pair,
        relevant=np.concatenate([np.zeros(0), *right]),
        irrelevant=np.concatenate([np.zeros(0), *wrong]),
        counts=counted,
        worst=tuple(_case(material, int(i), all_ranks[i]) for i in worst),
        best=tuple(_case(material, int(i), all_ranks[i]) for i in best_ones),
    )


def _margin(right: Floats, wrong: Floats) -> Floats:
    """How far the first right answer is above the first wrong one; -inf where it was not found."""
    out = np.full(len(right), np.inf)
    np.subtract(right, wrong, out=out, where=~np.isneginf(wrong))
    return out


def _order(ranks: Floats, margins: Floats, counts: Ints) -> Ints:
    """Queries that count, best first: by the rank of the first right answer, then by how clearly it won."""
    order = np.lexsort((-margins, ranks))
    return order[counts[order] > 0].astype(np.int64)


def _case(material: Material, i: int, rank: float) -> Case:
    row = np.asarray(material.scores[i : i + 1])[0]
    wanted: Relevant = material.relevance.rows(i, i + 1)
    right = set(wanted.item.tolist())
    first = [int(n) for n in np.argsort(-row, kind="stable")[:TOP] if not np.isneginf(row[n])]
    found = tuple(Found(material.item(n), float(row[n]), n in right) for n in first)
    answer = None
    if not right.intersection(first):
        n = max(right, key=lambda n: row[n])
        answer = Found(material.item(n), float(row[n]), True)
    return Case(material.query(i), float(rank), found, answer)
