"""Scores of training rank as a search does: candidates by cosine, then the learned score."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import normalize

from duretrieval.rank.nearest import RERANKED
from duretrieval.training.build.objective import inner
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.nets.score.euclidean import Euclidean
from duretrieval.training.nets.score.pair_scorer import PairScorer


def rows(n: int, seed: int) -> torch.Tensor:
    return normalize(torch.randn(n, 8, generator=torch.Generator().manual_seed(seed)), dim=1)


def scorer() -> PairScorer:
    torch.manual_seed(0)
    return PairScorer(8, hidden=(6, 5)).eval()


def test_candidates_by_cosine_then_by_score_then_the_rest_by_cosine() -> None:
    a, b, score = rows(70, 1), rows(50, 2), scorer()
    with torch.inference_mode():
        found = reranked(score, a, b, candidates=7)[0 : len(a)]
        every, cosines = score(a, b).numpy(), (a @ b.T).numpy()
    for query in range(len(a)):
        near = np.argsort(-cosines[query])
        order = np.argsort(-found[query])
        assert set(order[:7]) == set(near[:7])
        assert order[7:].tolist() == near[7:].tolist()
        np.testing.assert_allclose(found[query, near[:7]], every[query, near[:7]], atol=1e-5)


def test_few_rows_are_all_candidates() -> None:
    a, b, score = rows(5, 1), rows(RERANKED, 2), scorer()
    with torch.inference_mode():
        np.testing.assert_allclose(reranked(score, a, b)[0 : len(a)], score(a, b).numpy(), atol=1e-6)


def test_a_score_that_ranks_as_the_cosine_changes_no_order() -> None:
    a, b = rows(9, 1), rows(60, 2)
    by_distance, by_cosine = reranked(Euclidean(), a, b, candidates=10)[0:9], inner(a, b).numpy()
    assert (by_distance.argsort(axis=1, stable=True) == by_cosine.argsort(axis=1, stable=True)).all()
    np.testing.assert_allclose(reranked(inner, a, b, candidates=10)[0:9], by_cosine, atol=1e-6)
