from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.training import parts
from duretrieval.training.losses.modality_adversary import ModalityAdversary


def rows(n: int, seed: int, shift: float = 0.0) -> Tensor:
    drawn = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return normalize(drawn + shift * torch.tensor([1.0, 0, 0, 0]), dim=1)


def made(**options: float) -> ModalityAdversary:
    torch.manual_seed(0)
    adversary: ModalityAdversary = parts.find("train.losses", "modality-adversary")(dim=4, hidden=8, **options)
    return adversary


def test_by_a_slow_loop() -> None:
    adversary, a, b = made(), rows(3, 0), rows(5, 1)
    with torch.no_grad():
        p_a = [1 / (1 + math.exp(-float(adversary.classifier(2 * row)))) for row in a]
        p_b = [1 / (1 + math.exp(-float(adversary.classifier(2 * row)))) for row in b]
        by_hand = sum(-math.log(1 - p) for p in p_a) / 6 + sum(-math.log(p) for p in p_b) / 10
        assert float(adversary(a, b)) == pytest.approx(by_hand, rel=1e-5)


def test_the_classifier_goes_down_and_the_rows_go_up() -> None:
    adversary, a, b = made(reversal=0.5, ramp=0), rows(6, 0).requires_grad_(), rows(6, 1, 1.0)
    adversary(a, b).backward()
    own = [p.grad.clone() for p in adversary.parameters() if p.grad is not None]
    assert a.grad is not None
    seen = a.grad.clone()
    straight = a.detach().clone().requires_grad_()
    adversary.zero_grad()
    logits = adversary.classifier(2 * torch.cat([straight, b]))[:, 0]
    targets = torch.cat([torch.zeros(6), torch.ones(6)])
    nn.functional.binary_cross_entropy_with_logits(logits, targets).backward()
    for ours, plain in zip(own, adversary.parameters(), strict=True):
        torch.testing.assert_close(ours, plain.grad)
    torch.testing.assert_close(seen, -0.5 * straight.grad)


def test_the_reversal_grows_and_its_state_is_saved() -> None:
    adversary = made(ramp=4)
    gradients = []
    for _ in range(6):
        a = rows(6, 0).requires_grad_()
        adversary(a, rows(6, 1)).backward()
        assert a.grad is not None
        gradients.append(float(a.grad.abs().sum()))
    shares = [g / gradients[-1] for g in gradients]
    assert shares == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1], abs=1e-5)
    adversary.eval()(rows(2, 0), rows(2, 1))
    assert int(adversary.state_dict()["steps"]) == 6


def test_two_modalities_become_one() -> None:
    """Two clouds that lie apart; one of them learns to mislead, and a fresh classifier has a harder time."""
    a, b = rows(300, 0), rows(300, 1, 2.0)

    def telling(left: Tensor, right: Tensor) -> float:
        """The loss of a classifier of its own, after training."""
        fresh = made(reversal=0.0)
        optimizer = torch.optim.Adam(fresh.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            loss = fresh(left.detach(), right)
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    adversary, head = made(ramp=50), nn.Linear(4, 4)
    slow, quick = {"params": head.parameters(), "lr": 0.005}, {"params": adversary.parameters(), "lr": 0.02}
    optimizer = torch.optim.Adam([slow, quick])
    before = telling(a, b)
    for _ in range(800):
        optimizer.zero_grad()
        adversary(normalize(head(a), dim=1), b).backward()
        optimizer.step()
    assert before < 0.4
    after = telling(normalize(head(a), dim=1), b)
    assert after > before + 0.12


def test_what_cannot_be_made() -> None:
    with pytest.raises(ConfigError, match="dim is 0 and hidden is 64; both must be at least 1"):
        ModalityAdversary(0)
    with pytest.raises(ConfigError, match="reversal is -1 and ramp is 500; both must be 0 or more"):
        ModalityAdversary(4, reversal=-1)
