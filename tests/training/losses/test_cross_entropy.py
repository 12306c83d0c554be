import math

import pytest
import torch

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.cross_entropy import CrossEntropy


def slow(logits: list[list[float]], labels: list[int], smoothing: float) -> float:
    costs = []
    for row, label in zip(logits, labels, strict=True):
        if label < 0:
            continue
        total = sum(math.exp(z) for z in row)
        wanted = [smoothing / len(row) + (1 - smoothing) * (c == label) for c in range(len(row))]
        costs.append(-sum(q * math.log(math.exp(z) / total) for q, z in zip(wanted, row, strict=True)))
    return sum(costs) / len(costs)


def test_by_eye() -> None:
    """Equal logits of three classes cost log 3; the row of an unknown class costs nothing."""
    logits = torch.tensor([[0.0, 0.0, 0.0], [5.0, -5.0, 0.0]])
    assert CrossEntropy()(logits, torch.tensor([1, -1])).item() == pytest.approx(math.log(3))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_against_a_loop(smoothing: float) -> None:
    draw = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(9, 5, generator=draw).double(), torch.randint(-1, 5, (9,), generator=draw)
    assert (labels == -1).any()
    expected = slow(logits.tolist(), labels.tolist(), smoothing)
    loss = CrossEntropy(smoothing)
    assert loss(logits, labels).item() == pytest.approx(expected)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits.requires_grad_())


def test_no_known_class_costs_nothing_and_moves_nothing() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    loss = CrossEntropy(0.1)(logits, torch.full((3,), -1))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = CrossEntropy(0.1)(logits, torch.tensor([1, 1]))
    loss.backward()
    assert math.isfinite(loss.item())
    assert bool(torch.isfinite(logits.grad).all())


def test_is_a_loss_of_labels() -> None:
    assert CrossEntropy().reads == "labels"
    assert CrossEntropy()(torch.zeros(2, 3).bfloat16(), torch.tensor([0, 1])).dtype == torch.float32


def test_what_it_refuses() -> None:
    with pytest.raises(ConfigError, match="smoothing is 1; it must be at least 0 and below 1"):
        CrossEntropy(1.0)
    with pytest.raises(ShapeError, match=r"expected logits \(b, C\) and labels \(b,\) of torch.int64"):
        CrossEntropy()(torch.zeros(2, 3), torch.tensor([0, 1, 2]))
    with pytest.raises(ShapeError, match=r"got .* of torch\.float32"):
        CrossEntropy()(torch.zeros(2, 3), torch.tensor([0.0, 1.0]))
