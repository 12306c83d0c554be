"""The same numbers as pytorch-metric-learning, where it has the same loss; each test says what corresponds to what.

It takes rows and four lists (anchors, positives, anchors, negatives), or three of triplets, where we take scores and a
mask: `pairs` and `triplets` write ours out as theirs.
"""

import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import (
    ContrastiveLoss,
    CrossBatchMemory,
    NTXentLoss,
    SmoothAPLoss,
    TripletMarginLoss,
)
from pytorch_metric_learning.miners import BatchEasyHardMiner
from pytorch_metric_learning.reducers import DoNothingReducer, MeanReducer

from duretrieval.training.losses.contrastive import Contrastive
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.memory import Memory
from duretrieval.training.losses.same import same_key
from duretrieval.training.losses.smooth_ap import SmoothAp
from duretrieval.training.losses.triplet import Triplet

N, M = 8, 13


def rows(n: int = N, m: int = M, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, 6, generator=draw).double(), torch.randn(m, 6, generator=draw).double()
    b[:n] += a[: len(b)]
    return torch.nn.functional.normalize(a, dim=1), torch.nn.functional.normalize(b, dim=1)


def some_alike(n: int = N, m: int = M) -> torch.Tensor:
    """Partners and false negatives."""
    keys = [f"{i % 6}" for i in range(m)]
    return same_key(keys[:n], keys)


def pairs(same: torch.Tensor) -> tuple[torch.Tensor, ...]:
    anchors = torch.arange(len(same))
    return (anchors, anchors, *(~same).nonzero().unbind(dim=1))


def triplets(same: torch.Tensor) -> tuple[torch.Tensor, ...]:
    anchors, negatives = (~same).nonzero().unbind(dim=1)
    return anchors, anchors, negatives


def gradients(loss: torch.Tensor, *of: torch.Tensor) -> torch.Tensor:
    return torch.cat(torch.autograd.grad(loss, of))


def tangential(gradient: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The part of a gradient by unit rows that can move them: what points along a row only scales it."""
    return gradient - (gradient * rows).sum(dim=1, keepdim=True) * rows


def test_infonce_is_ntxent() -> None:
    """Its numerator is in its denominator too; the mean over positive pairs is the mean over anchors."""
    (a, b), same = rows(), some_alike()
    a.requires_grad_(), b.requires_grad_()
    theirs = NTXentLoss(temperature=0.1)(a, indices_tuple=pairs(same), ref_emb=b)
    ours = InfoNce(0.1, learned=False)(a @ b.T, same)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    unit = torch.cat([a, b]).detach()
    by_ours, by_theirs = (tangential(gradients(loss, a, b), unit) for loss in (ours, theirs))
    torch.testing.assert_close(by_ours, by_theirs, rtol=1e-6, atol=1e-6)


def test_contrastive_is_half_the_square_of_theirs() -> None:
    """It sums D(pos) and max(0, m - D(neg)); we, after the paper, half the squares: pair by pair, then averaged."""
    (a, b), same = rows(), some_alike()
    theirs = ContrastiveLoss(0, 1, distance=LpDistance(), reducer=DoNothingReducer())
    found = theirs(a, indices_tuple=pairs(same), ref_emb=b)
    expected = sum(found[kind]["losses"].square().mean() / 2 for kind in ("pos_loss", "neg_loss"))
    assert Contrastive(1.0)(a @ b.T, same).item() == pytest.approx(expected.item(), rel=1e-6)


def test_triplet_of_all_is_triplet_margin() -> None:
    """With its mean over all triplets; its default leaves out those that cost nothing."""
    (a, b), same = rows(), some_alike()
    a.requires_grad_(), b.requires_grad_()
    theirs = TripletMarginLoss(0.3, distance=LpDistance(), reducer=MeanReducer())
    ours = Triplet(0.3, "all")(a @ b.T, same)
    expected = theirs(a, indices_tuple=triplets(same), ref_emb=b)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)
    unit = torch.cat([a, b]).detach()
    by_ours, by_theirs = (tangential(gradients(loss, a, b), unit) for loss in (ours, expected))
    torch.testing.assert_close(by_ours, by_theirs)


@pytest.mark.parametrize("mining", ["hard", "semi-hard"])
def test_triplet_mined(mining: str) -> None:
    """Its miner gives the hardest (semi-hard) negative; anchors to which it gives none are left out here."""
    a, b = rows(seed=3)
    labels, others = torch.arange(N), torch.arange(M)
    miner = BatchEasyHardMiner("hard", mining.replace("-", ""), distance=LpDistance())
    anchors, positives, _, negatives = miner(a, labels, b, others)
    assert len(anchors) > 3
    theirs = TripletMarginLoss(0.3, distance=LpDistance(), reducer=MeanReducer())
    expected = theirs(a, indices_tuple=(anchors, positives, negatives), ref_emb=b)
    order = [*anchors.tolist(), *(j for j in range(M) if j not in anchors)]
    scores = (a @ b.T)[anchors][:, order]
    assert Triplet(0.3, mining)(scores, torch.eye(*scores.shape).bool()).item() == pytest.approx(expected.item())


def test_smooth_ap_is_theirs() -> None:
    """It searches the batch with itself: each row is its own partner, and its class the other positives.

    Its classes must have as many rows as there are classes (it cuts the batch by the one number where it means the
    other), so three of three.
    """
    a, _ = rows(9, 9)
    labels = torch.arange(9) // 3
    for temperature in (0.01, 0.1):
        theirs = SmoothAPLoss(temperature)(a.float(), labels)
        ours = SmoothAp(temperature)((a @ a.T).float(), labels[:, None] == labels)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_memory_is_cross_batch_memory() -> None:
    """Rows of one side are queued, those of the other are anchors. It queues first and compares with its copies; we
    compare with the batch and what was before it, then remember: the same candidates, in another order.
    """
    size, steps = 20, 5
    theirs = CrossBatchMemory(NTXentLoss(temperature=0.2, distance=CosineSimilarity()), 6, memory_size=size + N)
    memory, ours = Memory(size), InfoNce(0.2, learned=False)
    for step in range(steps):
        a, b = (part.float() for part in rows(N, N, seed=step))
        keys = torch.arange(step * N, (step + 1) * N)
        queued = torch.arange(2 * N) >= N
        expected = theirs(torch.cat([a, b]), torch.cat([keys, keys]), enqueue_mask=queued)
        more = memory.columns("b", keys)
        candidates = b if more is None else torch.cat([b, more[0]])
        same = same_key(keys, keys) if more is None else torch.cat([same_key(keys, keys), more[1]], dim=1)
        assert len(candidates) == min((step + 1) * N, size + N)
        assert ours(a @ candidates.T, same).item() == pytest.approx(expected.item(), rel=1e-5)
        memory.add("b", b, keys)
