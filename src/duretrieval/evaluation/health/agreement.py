"""A store against plain numpy: what share of the truly nearest a search returns, with and without filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from duretrieval.evaluation.health.survey import Asked, FilterTrial, Survey
from duretrieval.evaluation.measures import measures
from duretrieval.evaluation.scoring import score_values
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.protocols import ReadView
from duretrieval.types import Array, Floats, Ints, Match

SLACK = 1e-5
"""Cosines nearer than this are one: sums in another order differ in the last bits."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One filter, asked many times."""

    where: str | None
    keeps: float
    """Share of the items that fit."""
    asked: Asked
    """Whether queries came from what fits, from what does not, or from anywhere."""
    recall: float
    """Mean share of the k nearest parts that were returned."""
    low: float
    high: float
    queries: int


def agreements(store: ReadView, survey: Survey, k: int, queries: int) -> Iterator[Agreement]:
    """Ask the store as a search does, by its index where it has one, and count what it returns of the truly nearest.

    What a filter keeps is decided here, not by the store; the store's vectors are read through once.
    """
    rows = [_asking(trial, survey)[:queries] for trial in survey.trials]
    tried = [(trial, asking) for trial, asking in zip(survey.trials, rows, strict=True) if len(asking)]
    least = _least(store, [trial for trial, _ in tried], [survey.vectors[asking] for _, asking in tried], k)
    for (trial, asking), bounds in zip(tried, least, strict=True):
        recalls = np.array(
            [_recall(store, survey.vectors[i], trial, bound, k) for i, bound in zip(asking, bounds, strict=True)]
        )
        yield _agreement(trial, survey, recalls, k)


def _asking(trial: FilterTrial, survey: Survey) -> Ints:
    inside = np.array([owner in trial.keeps for owner in survey.owners], dtype=bool)
    wanted = {"any-query": np.ones_like(inside), "inside": inside, "outside": ~inside}[trial.asked]
    return np.flatnonzero(wanted).astype(np.int64)


def _least(store: ReadView, trials: list[FilterTrial], vectors: list[Array], k: int) -> list[Floats]:
    """For each trial the (q, k) largest cosines of each query with what the filter keeps; -inf where that is less."""
    best = [np.full((len(queries), k), -np.inf) for queries in vectors]
    for keys, block in store.parts():
        for trial, queries, held in zip(trials, vectors, best, strict=True):
            fits = np.array([item in trial.keeps for item, _ in keys], dtype=bool)
            if fits.any():
                both = np.concatenate([held, queries @ block[fits].T], axis=1)
                held[:] = np.partition(both, both.shape[1] - k, axis=1)[:, -k:]
    return best


def _recall(store: ReadView, query: Array, trial: FilterTrial, nearest: Floats, k: int) -> float:
    """nearest: (k,) the largest cosines there are."""
    there = nearest[~np.isneginf(nearest)]
    if not len(there):
        return float("nan")
    matches: list[Match] = store.search(query, k, where=trial.where)
    vectors = store.vectors(list(dict.fromkeys(match.item for match in matches)))
    right = {
        (match.item, match.n)
        for match in matches
        if match.item in trial.keeps and float(vectors[match.item][match.n] @ query) >= there.min() - SLACK
    }
    return min(1.0, len(right) / len(there))


def _agreement(trial: FilterTrial, survey: Survey, recalls: Floats, k: int) -> Agreement:
    wanted = measures([f"recall@{k}"])
    pair = score_values(
        {wanted[0].name: recalls},
        wanted,
        "any",
        "any",
        queries=[str(i) for i in range(len(recalls))],
        gallery_size=len(trial.keeps),
        bootstrap=Bootstrap(resamples=1000),
    )
    score = pair.scores[0]
    return Agreement(
        trial.where, len(trial.keeps) / survey.items, trial.asked, score.value, score.low, score.high, score.n
    )
