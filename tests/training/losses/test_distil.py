"""Losses that learn what a teacher says, against plain numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.distil import DistilKl, DistilVectors, MarginMse

S = torch.tensor([[0.9, 0.2, -0.1, 0.4], [0.3, 0.5, 0.0, 0.1]], dtype=torch.float64)
T = torch.tensor([[0.8, 0.7, 0.0, 0.1], [0.2, 0.9, 0.4, -0.2]], dtype=torch.float64)
SAME = torch.tensor([[True, False, True, False], [False, True, False, False]])


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_margins(scale: float) -> None:
    squares = [
        ((S[i, i] - S[i, j]) - scale * (T[i, i] - T[i, j])).item() ** 2
        for i in range(2)
        for j in range(4)
        if not SAME[i, j]
    ]
    assert MarginMse(scale)(S, T, SAME).item() == pytest.approx(sum(squares) / 5)


def test_margins_ask_for_no_level_of_scores() -> None:
    assert MarginMse()(T + 3, T, SAME).item() == pytest.approx(0, abs=1e-12)
    assert MarginMse()(S, T, SAME).item() > 0.01


@pytest.mark.parametrize(("mine", "theirs"), [(0.05, None), (0.5, 0.2)])
def test_divergence(mine: float, theirs: float | None) -> None:
    total = 0.0
    for s, t in zip(S.tolist(), T.tolist(), strict=True):
        p, q = ([math.exp(x / u) for x in row] for row, u in ((s, mine), (t, theirs or mine)))
        p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
        total += sum(b * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert DistilKl(mine, theirs)(S, T, SAME).item() == pytest.approx(total / 2)
    assert DistilKl(mine, mine)(T, T, SAME).item() == pytest.approx(0, abs=1e-9)


def test_vectors() -> None:
    torch.manual_seed(0)
    a, b = (torch.nn.functional.normalize(torch.randn(5, 4, dtype=torch.float64), dim=1) for _ in range(2))
    assert DistilVectors(4, 4)(a, b).item() == pytest.approx(1 - cosine_similarity(a, b).mean().item())
    assert DistilVectors(4, 4, form="mse")(a, b).item() == pytest.approx((a - b).square().sum().item() / 5)
    between = DistilVectors(4, 7)
    assert between.between is not None
    assert between.between.weight.shape == (7, 4)
    assert DistilVectors(4, 4, project=True).between is not None
    assert DistilVectors(4, 4).between is None


@pytest.mark.parametrize("loss", [MarginMse(), DistilKl()])
def test_gradients_are_those_of_finite_differences(loss: MarginMse | DistilKl) -> None:
    scores = S.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, T, SAME), (scores,))
    loss(scores, T, SAME).backward()
    assert float(scores.grad.abs().max()) > 0.01  # type: ignore[union-attr]


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="scale is 0; it must be above 0"):
        MarginMse(0)
    with pytest.raises(ConfigError, match="a temperature is -1; it must be above 0"):
        DistilKl(0.1, -1)
    with pytest.raises(ConfigError, match=r"of 4 dimensions are to be the teacher's of 7; .* set dim = 7"):
        DistilVectors(4, 7, project=False)
    with pytest.raises(ShapeError, match=r"expected scores \(n, m\), a teacher's and same of that shape"):
        MarginMse()(S, T[:, :3], SAME)
