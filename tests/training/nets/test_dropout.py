"""Dropout from random bits, against what it must do on average and against PyTorch's own."""

from __future__ import annotations

import pytest
import torch

from duretrieval.errors import ConfigError
from duretrieval.training.nets.dropout import Dropout


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_so_many_are_dropped_and_the_mean_stays(p: float) -> None:
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(1000, 1001))
    assert out.eq(0).double().mean().item() == pytest.approx(p, abs=0.002)
    assert out.double().mean().item() == pytest.approx(1, abs=0.01)
    assert len(out.unique()) == (1 if p == 0 else 2)


def test_the_gradient_passes_where_the_number_passed() -> None:
    torch.manual_seed(0)
    rows = torch.randn(7, 5, requires_grad=True)
    out = Dropout(0.5)(rows)
    out.sum().backward()
    assert rows.grad is not None
    assert torch.equal(rows.grad, torch.where(out == 0, 0.0, 2.0))
    assert torch.equal(out, rows.detach() * rows.grad)


def test_every_place_is_dropped_as_often_as_every_other() -> None:
    torch.manual_seed(0)
    layer = Dropout(0.3)
    often = torch.stack([layer(torch.ones(3, 5)) == 0 for _ in range(4000)]).double().mean(dim=0)
    assert (often - 0.3).abs().max() < 0.04  # five standard deviations
    both = torch.stack([(layer(torch.ones(8)) == 0).double() for _ in range(8000)])
    assert (torch.corrcoef(both.T) - torch.eye(8)).abs().max() < 0.06


def test_a_seed_repeats_it_and_evaluation_leaves_rows_alone() -> None:
    layer, rows = Dropout(0.4), torch.randn(6, 6)
    torch.manual_seed(3)
    first = layer(rows)
    torch.manual_seed(3)
    assert torch.equal(layer(rows), first)
    assert not torch.equal(layer(rows), first)
    assert layer.eval()(rows) is rows


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_numbers_keep_their_kind(kind: torch.dtype) -> None:
    assert Dropout(0.5)(torch.ones(4, 4, dtype=kind)).dtype == kind


def test_a_probability_it_must_be() -> None:
    for p in (-0.1, 1.0, 2.0):
        with pytest.raises(ConfigError, match="dropout is"):
            Dropout(p)
