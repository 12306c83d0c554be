"""A learned score helps on validation rows or has no share; known pairs are those of the training rows."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.evaluation.labels.relevance import Relevant, relevant
from duretrieval.evaluation.metrics.reranked import Reranked
from duretrieval.training.fit.mixing import choose_shares
from duretrieval.training.fit.reranking import reranked
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.nets.score.pair_score import PairScore
from duretrieval.training.nets.score.pair_scorer import PairScorer
from duretrieval.types import Array

D = 64


class Knows(PairScore):
    """What the rows have in common in their first half, where the cosine looks at all of it; turned round if wrong."""

    dim = D

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.sign * a[:, : D // 2] @ b[:, : D // 2].T

    def pairs(self, a: Tensor, b: Tensor) -> Tensor:
        return self.sign * (a * b)[:, : D // 2].sum(dim=1)


def sides(n: int, seed: int) -> tuple[Tensor, Tensor, Relevant]:
    """Partners that are alike in the first half of their dimensions and strangers in the other."""
    draw = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(n, D, generator=draw) for _ in range(2))
    b[:, : D // 2] = a[:, : D // 2] + 0.4 * torch.randn(n, D // 2, generator=draw)
    return normalize(a, dim=1), normalize(b, dim=1), relevant([[i] for i in range(n)])


def first(score: Mixed, given: tuple[Tensor, Tensor, Relevant]) -> float:
    """Share of queries whose partner comes first."""
    found = reranked(score, given[0], given[1])[0 : len(given[0])].argmax(axis=1)
    return float(np.mean(found == np.arange(len(found))))


def test_a_score_that_knows_more_ranks_and_one_that_knows_less_has_no_share() -> None:
    val, test = sides(120, 1), sides(120, 2)
    for sign in (1, -1):
        score = Mixed(Knows(sign), support=0)
        choose_shares(score, [val], "rr")
        learned = float(score.shares[0])
        found = first(score, test)
        score.weigh(0, 0, (1, 1, 1))
        if sign > 0:
            assert learned > 0.3
            assert found > first(score, test) + 0.1
        else:
            assert learned == 0
            assert found == first(score, test)


def test_known_pairs_help_where_the_views_have_axes_of_their_own() -> None:
    """Rows of either view lie around their kind's place, and only known pairs say which places go together."""
    draw = torch.Generator().manual_seed(0)
    places = normalize(torch.randn(2, 20, D, generator=draw), dim=2)

    def rows(n: int) -> Tensor:
        kinds = torch.arange(n) % 20
        return normalize(places[:, kinds] + 0.06 * torch.randn(2, n, D, generator=draw), dim=2)

    score = Mixed(Knows(1), support=64)
    score.remember(rows(60))
    val, test = ((found[0], found[1], relevant([[i] for i in range(20)])) for found in (rows(20), rows(20)))
    choose_shares(score, [val], "rr")
    assert float(score.shares[1]) > 0.3
    assert first(score, test) > 0.7
    score.weigh(0, 0, (1, 1, 1))
    assert first(score, test) < 0.3


def test_it_ranks_as_the_engine_does() -> None:
    """Candidates by cosine, in the order of single pairs, then the rest."""
    torch.manual_seed(0)
    a, b, _ = sides(30, 3)
    score = Mixed(PairScorer(D, hidden=(6,)), support=8).eval()
    score.remember(torch.stack([a[:8], b[:8]]))
    score.weigh(0.4, 0.3, (0.3, 1.5, 4.0))

    def pairs(x: Array, y: Array, /) -> Array:
        with torch.inference_mode():
            found: Array = score.pairs(torch.from_numpy(x), torch.from_numpy(y)).numpy()
        return found

    wanted = Reranked(a.numpy(), b.numpy(), pairs, 7)[0:30]
    found = reranked(score, a, b, candidates=7)[0:30]
    np.testing.assert_array_equal(np.argsort(-found, axis=1), np.argsort(-wanted, axis=1))
