"""Losses of pairs with scores, against plain loops and what they are for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.scored import Cosent, MeanSquaredError


def rows(n: int = 7, d: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    a, b = (normalize(torch.randn(n, d, dtype=torch.float64), dim=1) for _ in range(2))
    return a, b, torch.tensor([0.0, 0.2, 0.2, 0.5, 0.9, 1.0, 0.4][:n], dtype=torch.float64)


def test_cosent_by_hand() -> None:
    a, b, wanted = rows()
    s = [float(x @ y) for x, y in zip(a, b, strict=True)]
    total = 1.0
    for i in range(7):
        for j in range(7):
            if wanted[i] > wanted[j]:
                total += math.exp((s[j] - s[i]) / 0.05)
    assert float(Cosent()(a, b, wanted)) == pytest.approx(math.log(total))


def test_mse_by_hand() -> None:
    a, b, wanted = rows()
    expected = sum((float(x @ y) - float(w)) ** 2 for x, y, w in zip(a, b, wanted, strict=True)) / 7
    assert float(MeanSquaredError()(a, b, wanted)) == pytest.approx(expected)


def test_as_sentence_transformers_has_them() -> None:
    from sentence_transformers.util import pairwise_cos_sim

    a, b, wanted = rows()
    scores = pairwise_cos_sim(a, b) * 20  # their CoSENTLoss, on embeddings
    differences = scores[:, None] - scores[None, :]
    labels = (wanted[:, None] < wanted[None, :]).to(differences.dtype)
    differences = differences - (1 - labels) * 1e12
    theirs = torch.logsumexp(torch.cat((torch.zeros(1), differences.view(-1))), dim=0)
    assert float(Cosent()(a, b, wanted)) == pytest.approx(float(theirs))


@pytest.mark.parametrize(("loss", "small"), [(Cosent(), 0.2), (MeanSquaredError(), 0.02)])
def test_descent_brings_the_order(loss: Cosent | MeanSquaredError, small: float) -> None:
    a, b, wanted = rows()
    a.requires_grad_()
    for _ in range(300):
        value = loss(normalize(a, dim=1), b, wanted)
        (gradient,) = torch.autograd.grad(value, a)
        a = (a - 0.05 * gradient).detach().requires_grad_()
    a = a.detach()
    cosines = (normalize(a, dim=1) * b).sum(dim=1)
    assert float(loss(normalize(a, dim=1), b, wanted)) < small
    for i in range(7):
        for j in range(7):
            if wanted[i] > wanted[j]:
                assert cosines[i] > cosines[j]


def test_equal_scores_ask_for_nothing() -> None:
    a, b, _ = rows()
    assert float(Cosent()(a, b, torch.full((7,), 0.3))) == 0


def test_half_precision_is_widened() -> None:
    a, b, wanted = rows()
    assert Cosent()(a.half(), b.half(), wanted).dtype == torch.float32


def test_what_cannot_be() -> None:
    a, b, wanted = rows()
    with pytest.raises(ConfigError, match="temperature is 0; it must be above 0"):
        Cosent(0)
    with pytest.raises(ShapeError, match=r"got \(7, 5\), \(6, 5\) and \(7,\)"):
        MeanSquaredError()(a, b[:6], wanted)
