"""The mixture of a learned score, the cosine and known pairs: by its formula, by single pairs, as a graph."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.rank.scorer import OnnxScorer
from duretrieval.training.nets.score.mixed import SMALLEST, TEMPERATURE, Mixed
from duretrieval.training.nets.score.neural_tensor import NeuralTensor
from duretrieval.training.nets.score.pair_scorer import PairScorer

D = 6


def rows(n: int, seed: int) -> Tensor:
    return normalize(torch.randn(n, D, generator=torch.Generator().manual_seed(seed)), dim=1)


def mixed(support: int = 9, known: int = 5) -> Mixed:
    """With known pairs, of which one lacks its second view, and room for more."""
    torch.manual_seed(0)
    score = Mixed(PairScorer(D, hidden=(7, 5)), support=support).eval()
    views = torch.stack([rows(known, 11), rows(known, 12)])
    views[1, 2] = 0
    if support:
        score.remember(views)
    score.weigh(0.3, 0.5, (0.4, 2.0, 3.0))
    return score


def shares(score: Mixed, row: Tensor) -> list[float]:
    """p of a row over the known pairs, with loops: each view by itself, then their mean."""
    found = [0.0] * score.support
    for view in score.known:
        there = [k for k in range(score.support) if view[k].any()]
        weights = {k: math.exp(float(row @ view[k]) / TEMPERATURE) for k in there}
        for k in there:
            found[k] += weights[k] / sum(weights.values()) / len(score.known)
    return found


@torch.inference_mode()
def test_the_formula_by_a_slow_loop() -> None:
    score, a, b = mixed(), rows(4, 1), rows(3, 2)
    learned, found = score.score(a, b), score(a, b)
    for i in range(4):
        for j in range(3):
            both = sum(p * q for p, q in zip(shares(score, a[i]), shares(score, b[j]), strict=True))
            wanted = (
                0.2 * float(a[i] @ b[j]) / 0.4 + 0.3 * float(learned[i, j]) / 2 + 0.5 * math.log(both + SMALLEST) / 3
            )
            assert float(found[i, j]) == pytest.approx(wanted, abs=1e-4)


@torch.inference_mode()
def test_single_pairs_are_the_diagonal_of_all_pairs() -> None:
    a, b = rows(5, 1), rows(5, 2)
    for score in (mixed(), mixed(support=0)):
        torch.testing.assert_close(score.pairs(a, b), score(a, b).diagonal(), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_shares_decide_the_order() -> None:
    score, a, b = mixed(), rows(6, 1), rows(20, 2)
    every = {(0, 0): a @ b.T, (1, 0): score.score(a, b), (0, 1): score.matched(a, b)}
    for (w, u), alone in every.items():
        score.weigh(w, u, (0.4, 2.0, 3.0))
        assert torch.equal(score(a, b).argsort(dim=1), alone.argsort(dim=1))
    assert not torch.equal(every[0, 0].argsort(dim=1), every[0, 1].argsort(dim=1))


@torch.inference_mode()
def test_before_it_is_weighed_it_is_the_score() -> None:
    score, a, b = Mixed(PairScorer(D)).eval(), rows(3, 1), rows(4, 2)
    torch.testing.assert_close(score(a, b), score.score(a, b))


def test_two_rows_that_resemble_one_known_pair_match_without_resembling_one_another() -> None:
    """A text near a known text, a picture near the picture that belongs to it: the cosine of the two is 0."""
    axes = torch.eye(D)
    score = Mixed(PairScorer(D), support=2).eval()
    score.remember(torch.stack([axes[[0, 1]], axes[[2, 3]]]))
    with torch.inference_mode():
        found = score.matched(axes[[0, 1]], axes[[2, 3]])
        assert not (axes[[0, 1]] @ axes[[2, 3]].T).any()
    assert (found.diagonal() > found.flip(0).diagonal() + 0.3).all()


@pytest.mark.parametrize("support", [0, 9])
@pytest.mark.parametrize("kind", [PairScorer, NeuralTensor])
def test_the_engine_scores_as_torch_does(tmp_path: Path, kind: type, support: int) -> None:
    score = Mixed(kind(D), support=support).eval()
    if support:
        score.remember(torch.stack([rows(5, 11), rows(5, 12)]))
    score.weigh(0.3, 0.5, (0.4, 2.0, 3.0))
    options = score.export(tmp_path, "scorer")["options"]
    a, b = rows(7, 1), rows(7, 2)
    with torch.inference_mode():
        np.testing.assert_allclose(
            OnnxScorer.load(tmp_path, **options)(a.numpy(), b.numpy()), score.pairs(a, b).numpy(), atol=1e-4
        )


def test_support_is_a_number_of_pairs() -> None:
    with pytest.raises(ConfigError, match=r"\[score\] support is -1; it is a number of known pairs, at least 0"):
        Mixed(PairScorer(D), support=-1)
