"""The laws of a `train.contracts.Loss`, as tests.

class TestMyLoss(LossSuite):
    def make(self): return MyLoss(margin=0.3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

N, M = 6, 9
CLOSE = 1e-5


class LossSuite:
    """Subclass it, say how the loss is made, and run pytest. torch is imported by the tests, not with this module."""

    higher_negative_costs_at_once = True
    """A negative that rises to its partner's score always costs something; False where only chosen negatives count."""

    def make(self) -> Any:
        raise NotImplementedError("return the loss under test")

    def cosines(self, n: int = N, m: int = M, seed: int = 0) -> Tensor:
        """Cosines of anchors with their partners (high) and with others; n, m -> (n, m)."""
        import torch

        draw = torch.Generator().manual_seed(seed)
        scores = torch.rand(n, m, generator=draw) * 0.6 - 0.3
        scores[range(n), range(n)] = torch.rand(n, generator=draw) * 0.4 + 0.4
        return scores

    def scores(self, cosines: Tensor) -> Tensor:
        """Cosines as the scores that the loss is made for."""
        return cosines

    def same(self, n: int = N, m: int = M) -> Tensor:
        """Partners, one false negative in the batch, and one among the further columns."""
        import torch

        same = torch.eye(n, m, dtype=torch.bool)
        if n > 2 and m > n:
            same[0, 2] = same[2, 0] = same[1, n] = True
        return same

    def test_a_finite_scalar_that_can_be_derived(self) -> None:
        import torch

        for n, m in [(N, M), (N, N), (2, 2), (1, 3), (1, 1)]:
            scores = self.scores(self.cosines(n, m)).requires_grad_()
            loss = self.make()(scores, self.same(n, m))
            assert loss.shape == ()
            (gradient,) = torch.autograd.grad(loss, scores)
            assert bool(torch.isfinite(loss.detach()))
            assert bool(torch.isfinite(gradient).all())

    def test_anchors_and_partners_may_come_in_any_order(self) -> None:
        import torch

        loss, scores, same = self.make(), self.scores(self.cosines()), self.same()
        order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
        columns = torch.cat([order, torch.arange(N, M).flip(0)])
        permuted = loss(scores[order][:, columns], same[order][:, columns])
        assert permuted.item() == pytest.approx(loss(scores, same).item(), abs=CLOSE)

    def test_perfect_pairs_score_better_than_shuffled_ones(self) -> None:
        import torch

        loss, same = self.make(), torch.eye(N, M, dtype=torch.bool)
        perfect = 2 * same.float() - 1
        shuffled = perfect[:, [*range(1, N), 0, *range(N, M)]]
        assert loss(self.scores(perfect), same).item() < loss(self.scores(shuffled), same).item() - 0.01

    def test_partners_are_pulled_negatives_pushed_and_false_negatives_never_pushed(self) -> None:
        import torch

        scores, same = self.scores(self.cosines()).requires_grad_(), self.same()
        (gradient,) = torch.autograd.grad(self.make()(scores, same), scores)
        assert float(gradient.diagonal().sum()) < 0
        assert float(gradient[same].max()) <= CLOSE
        assert float(gradient[~same].min()) >= -CLOSE

    def test_further_columns_are_negatives(self) -> None:
        loss, same, low = self.make(), self.same(), self.cosines()
        low[:, N:] = -0.9
        high = low.clone()
        high[0, N] = low[0, 0] - 0.02
        before, after = (loss(self.scores(cosines), same).item() for cosines in (low, high))
        assert after >= before - CLOSE
        if self.higher_negative_costs_at_once:
            assert after > before + CLOSE

    def test_a_further_column_of_the_same_key_is_no_negative(self) -> None:
        loss, same, low = self.make(), self.same(), self.cosines()
        high = low.clone()
        low[1, N], high[1, N] = -0.9, 0.9
        assert loss(self.scores(high), same).item() <= loss(self.scores(low), same).item() + CLOSE

    def test_extreme_scores_stay_finite(self) -> None:
        import torch

        for value in (-1.0, 0.0, 1.0, -1e4, 1e4):
            for turned in (1, -1):
                scores = torch.full((N, M), value)
                scores[range(N), range(N)] *= turned
                scores.requires_grad_()
                loss = self.make()(scores, self.same())
                (gradient,) = torch.autograd.grad(loss, scores)
                assert bool(torch.isfinite(loss.detach())), (value, turned)
                assert bool(torch.isfinite(gradient).all()), (value, turned)

    def test_half_precision_is_not_added_up_in_half_precision(self) -> None:
        import torch

        scores, same = self.scores(self.cosines()).bfloat16(), self.same()
        loss = self.make()(scores, same)
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(self.make()(scores.float(), same).item(), rel=1e-4, abs=1e-6)

    def test_leaves_its_input_alone(self) -> None:
        scores, same = self.scores(self.cosines()), self.same()
        before = scores.clone(), same.clone()
        self.make()(scores, same)
        assert bool((scores == before[0]).all())
        assert bool((same == before[1]).all())
