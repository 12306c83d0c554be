"""Every loss of scores by eye on two or three pairs, then against loops over plain numbers, then its derivative."""

import math

import pytest
import torch

from duretrieval.training.losses.binary_cross_entropy import BinaryCrossEntropy
from duretrieval.training.losses.contrastive import Contrastive
from duretrieval.training.losses.hinge import Hinge
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.sigmoid import PairwiseSigmoid
from duretrieval.training.losses.smooth_ap import SmoothAp
from duretrieval.training.losses.triplet import Triplet

PAIR = torch.tensor([[0.9, 0.8], [0.1, 0.5]])
"""Anchor 0 scores 0.9 with its partner and 0.8 with the other's, anchor 1 scores 0.5 and 0.1."""
ALONE = torch.eye(2, dtype=torch.bool)
TWINS = torch.ones(2, 2, dtype=torch.bool)


def test_hinge_by_eye() -> None:
    """Only 0.8 is within 0.2 of its partner's 0.9, by 0.1; the mean over two anchors is 0.05."""
    assert Hinge(0.2)(PAIR, ALONE).item() == pytest.approx(0.05)
    assert Hinge(0.2)(PAIR, TWINS).item() == 0


def test_hinge_sums_or_takes_the_hardest() -> None:
    scores = torch.tensor([[0.5, 0.5, 0.4, 0.0]])
    same = torch.eye(1, 4, dtype=torch.bool)
    assert Hinge(0.2, "sum")(scores, same).item() == pytest.approx(0.2 + 0.1)
    assert Hinge(0.2, "max")(scores, same).item() == pytest.approx(0.2)


def test_infonce_by_eye() -> None:
    """At temperature 1, log(1 + e^-0.1) and log(1 + e^-0.4)."""
    expected = (math.log(1 + math.exp(-0.1)) + math.log(1 + math.exp(-0.4))) / 2
    assert InfoNce(1.0)(PAIR, ALONE).item() == pytest.approx(expected)
    assert InfoNce(1.0)(PAIR, TWINS).item() == 0


def test_contrastive_by_eye() -> None:
    """Partners at right angles are sqrt 2 apart, and negatives of cosine 1/2 exactly the margin of 1."""
    scores = torch.tensor([[0.0, 0.5], [0.5, 0.0]])
    assert Contrastive(1.0)(scores, ALONE).item() == pytest.approx(1.0)  # 1/2 sqrt(2)^2 and nothing
    distances = -torch.tensor([[2.0, 0.25], [1.0, 0.0]])
    expected = 0.5 * (2**2 + 0**2) / 2 + 0.5 * (0.75**2 + 0**2) / 2
    assert Contrastive(1.0, "euclidean")(distances, ALONE).item() == pytest.approx(expected)


@pytest.mark.parametrize(("mining", "expected"), [("all", (0 + 0.1 + 0.7) / 3), ("hard", 0.7), ("semi-hard", 0.1)])
def test_triplet_by_eye(mining: str, expected: float) -> None:
    """Partner at 1, negatives at 2, 1.1 and 0.5; margin 0.2."""
    scores = -torch.tensor([[1.0, 2.0, 1.1, 0.5]])
    loss = Triplet(0.2, mining, "euclidean")
    assert loss(scores, torch.eye(1, 4, dtype=torch.bool)).item() == pytest.approx(expected)


def test_semi_hard_falls_back_to_the_farthest() -> None:
    scores = -torch.tensor([[1.0, 0.7, 0.5]])
    assert Triplet(0.2, "semi-hard", "euclidean")(scores, torch.eye(1, 3, dtype=torch.bool)).item() == pytest.approx(
        1.0 - 0.7 + 0.2
    )


def test_sigmoid_by_eye() -> None:
    """Scale 1, bias 0: partners cost log(1 + e^-s), negatives log(1 + e^s), over two anchors."""
    costs = [math.log1p(math.exp(x)) for x in (-0.9, 0.8, 0.1, -0.5)]
    assert PairwiseSigmoid(1.0, 0.0)(PAIR, ALONE).item() == pytest.approx(sum(costs) / 2)
    assert PairwiseSigmoid(1.0, 0.0)(PAIR, TWINS).item() == pytest.approx((costs[0] + costs[3]) / 2)


def test_smooth_ap_by_eye() -> None:
    """Positives at ranks 1 and 3: average precision (1 + 2/3) / 2."""
    scores = torch.tensor([[0.9, 0.1, 0.5, 0.0]])
    same = torch.tensor([[True, True, False, False]])
    assert SmoothAp(0.001)(scores, same).item() == pytest.approx(1 - (1 + 2 / 3) / 2)


def test_binary_cross_entropy_by_eye() -> None:
    """Logits 0 say nothing and cost log 2, whatever there is of each kind."""
    assert BinaryCrossEntropy()(torch.zeros(2, 7), torch.eye(2, 7, dtype=torch.bool)).item() == pytest.approx(
        math.log(2)
    )


# ---- loops


def negatives(same: list[list[bool]], i: int) -> list[int]:
    return [j for j in range(len(same[i])) if j != i and not same[i][j]]


def slow_hinge_sum(s: list, same: list) -> float:
    return sum(max(0, s[i][j] - s[i][i] + 0.2) for i in range(len(s)) for j in negatives(same, i)) / len(s)


def slow_hinge_max(s: list, same: list) -> float:
    total = 0.0
    for i in range(len(s)):
        total += max([max(0, s[i][j] - s[i][i] + 0.2) for j in negatives(same, i)], default=0)
    return total / len(s)


def slow_infonce(s: list, same: list) -> float:
    total = 0.0
    for i in range(len(s)):
        below = sum(math.exp(s[i][j] / 0.07) for j in [i, *negatives(same, i)])
        total -= math.log(math.exp(s[i][i] / 0.07) / below)
    return total / len(s)


def apart(s: float) -> float:
    return math.sqrt(2 - 2 * s)


def slow_contrastive(s: list, same: list) -> float:
    near = [0.5 * apart(s[i][i]) ** 2 for i in range(len(s))]
    far = [0.5 * max(0, 1 - apart(s[i][j])) ** 2 for i in range(len(s)) for j in negatives(same, i)]
    return sum(near) / len(near) + sum(far) / len(far)


def slow_triplet_all(s: list, same: list) -> float:
    found = [max(0, apart(s[i][i]) - apart(s[i][j]) + 0.2) for i in range(len(s)) for j in negatives(same, i)]
    return sum(found) / len(found)


def slow_triplet_hard(s: list, same: list) -> float:
    return sum(
        max(0, apart(s[i][i]) - min(apart(s[i][j]) for j in negatives(same, i)) + 0.2) for i in range(len(s))
    ) / len(s)


def slow_triplet_semi_hard(s: list, same: list) -> float:
    total = 0.0
    for i in range(len(s)):
        far = [apart(s[i][j]) for j in negatives(same, i)]
        farther = [d for d in far if d > apart(s[i][i])]
        total += max(0, apart(s[i][i]) - (min(farther) if farther else max(far)) + 0.2)
    return total / len(s)


def slow_sigmoid(s: list, same: list) -> float:
    total = 0.0
    for i in range(len(s)):
        total -= math.log(1 / (1 + math.exp(-(10 * s[i][i] - 10))))
        for j in negatives(same, i):
            total -= math.log(1 / (1 + math.exp(10 * s[i][j] - 10)))
    return total / len(s)


def slow_smooth_ap(s: list, same: list) -> float:
    def above(i: int, k: int, j: int) -> float:
        return 1 / (1 + math.exp(-(s[i][k] - s[i][j]) / 0.01))

    total = 0.0
    for i in range(len(s)):
        positive = [j for j in range(len(s[i])) if j == i or same[i][j]]
        precisions = []
        for j in positive:
            among = 1 + sum(above(i, k, j) for k in positive if k != j)
            precisions.append(among / (1 + sum(above(i, k, j) for k in range(len(s[i])) if k != j)))
        total += sum(precisions) / len(precisions)
    return 1 - total / len(s)


def slow_binary_cross_entropy(s: list, same: list) -> float:
    match = [-math.log(1 / (1 + math.exp(-s[i][i]))) for i in range(len(s))]
    none = [-math.log(1 - 1 / (1 + math.exp(-s[i][j]))) for i in range(len(s)) for j in negatives(same, i)]
    return 0.5 * sum(match) / len(match) + 0.5 * sum(none) / len(none)


LOSSES = [
    (Hinge(form="sum"), slow_hinge_sum),
    (Hinge(form="max"), slow_hinge_max),
    (InfoNce(), slow_infonce),
    (Contrastive(), slow_contrastive),
    (Triplet(mining="all"), slow_triplet_all),
    (Triplet(mining="hard"), slow_triplet_hard),
    (Triplet(mining="semi-hard"), slow_triplet_semi_hard),
    (PairwiseSigmoid(), slow_sigmoid),
    (SmoothAp(), slow_smooth_ap),
    (BinaryCrossEntropy(), slow_binary_cross_entropy),
]
NAMES = [slow.__name__.removeprefix("slow_") for _, slow in LOSSES]


def batch(n: int, m: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines of noisy pairs of unit rows of 5 kinds, float64, and which are of one kind."""
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, 8, generator=draw).double(), torch.randn(m, 8, generator=draw).double()
    b[:n] += a
    rows = [torch.nn.functional.normalize(rows, dim=1) for rows in (a, b)]
    keys = torch.randint(0, 5, (m,), generator=draw)
    return rows[0] @ rows[1].T, keys[:n, None] == keys[None, :]


@pytest.mark.parametrize(("n", "m"), [(6, 6), (5, 12), (1, 9)])
@pytest.mark.parametrize(("loss", "slow"), LOSSES, ids=NAMES)
def test_against_loops(loss, slow, n: int, m: int) -> None:
    for seed in range(5):
        scores, same = batch(n, m, seed)
        if same.all(dim=1).any():
            continue
        expected = slow(scores.tolist(), same.tolist())
        assert loss(scores, same).item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert loss(scores.float(), same).item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("loss", "slow"), LOSSES, ids=NAMES)
def test_the_derivative_is_that_of_finite_differences(loss, slow) -> None:
    for seed in range(3):
        scores, same = batch(5, 9, seed)
        if slow is slow_smooth_ap:
            scores = scores / 20  # where the sigmoids of a temperature of 0.01 are not flat
        assert torch.autograd.gradcheck(lambda s, same=same: loss(s, same), scores.requires_grad_(), eps=1e-7)


@pytest.mark.parametrize("make", [InfoNce, PairwiseSigmoid])
def test_so_is_that_by_what_is_learned(make) -> None:
    loss = make().double()
    scores, same = batch(5, 9, 0)
    names, start = zip(*loss.named_parameters(), strict=True)

    def of(*values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(loss, dict(zip(names, values, strict=True)), (scores, same))

    assert torch.autograd.gradcheck(of, [value.detach().clone().requires_grad_() for value in start])


def test_smooth_ap_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the value nor the gradient knows of blocks."""
    scores, same = batch(6, 12, 0)
    scores = (scores / 10).requires_grad_()
    whole = SmoothAp()(scores, same)
    (expected,) = torch.autograd.grad(whole, scores)
    monkeypatch.setattr("duretrieval.training.losses.smooth_ap.NUMBERS", 100)
    blocks = SmoothAp()(scores, same)
    (gradient,) = torch.autograd.grad(blocks, scores)
    torch.testing.assert_close(blocks, whole)
    torch.testing.assert_close(gradient, expected)
