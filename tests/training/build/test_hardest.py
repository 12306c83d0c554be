"""Losses of the pairs that a search asks about, by brute force; losses that teach the score alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize, softplus

from duretrieval.errors import ConfigError
from duretrieval.training.build.hardest import hardest
from duretrieval.training.build.network_of import make_objective
from duretrieval.training.build.objective import LossTerm, TotalLoss, inner
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.losses.binary_cross_entropy import BinaryCrossEntropy
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.nets.score.pair_scorer import PairScorer
from duretrieval.training.recipe.recipe import Objective
from duretrieval.training.recipe.toml import to_recipe

D = 5


def rows(n: int, seed: int) -> Tensor:
    return normalize(torch.randn(n, D, generator=torch.Generator().manual_seed(seed)), dim=1)


def scorer() -> PairScorer:
    torch.manual_seed(0)
    return PairScorer(D, hidden=(6,))


def batch(keys: list[int], anchors: int) -> tuple[dict[str, View], Batch]:
    here = torch.ones(len(keys)).bool()
    views = {name: View(rows(len(keys), seed).requires_grad_(), here) for name, seed in (("a", 1), ("b", 2))}
    nowhere = torch.full((len(keys),), -1)
    return views, Batch({}, {}, torch.tensor(keys), nowhere, torch.arange(len(keys)), anchors)


def loop(score: PairScorer, a: Tensor, b: Tensor, keys: list[int], anchors: int, count: int) -> float:
    """One direction: of each anchor its partner, and `count` of another key with the largest cosine."""
    partners, negatives = [], []
    for i in range(anchors):
        others = [j for j in range(len(keys)) if keys[j] != keys[i]]
        others.sort(key=lambda j: -float(a[i] @ b[j]))
        partners.append(float(score.pairs(a[[i]], b[[i]])))
        negatives += [float(score.pairs(a[[i]], b[[j]])) for j in others[:count]]
    soft = [float(softplus(torch.tensor(-s))) for s in partners], [float(softplus(torch.tensor(s))) for s in negatives]
    return sum(soft[0]) / len(soft[0]) / 2 + sum(soft[1]) / len(soft[1]) / 2


@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_loss_of_the_hardest_by_a_slow_loop(count: int) -> None:
    """Two rows share a key, and two that follow the anchors are further candidates."""
    keys, score = [0, 1, 2, 2, 4, 5, 6], scorer()
    views, given = batch(keys, anchors=5)
    term = LossTerm(BinaryCrossEntropy(), 1.0, "scores", hardest=count)
    found = TotalLoss([term], score)(views, given)
    a, b = views["a"].rows.detach(), views["b"].rows.detach()
    with torch.inference_mode():
        wanted = (loop(score, a, b, keys, 5, count) + loop(score, b, a, keys, 5, count)) / 2
    assert found.item() == pytest.approx(wanted, abs=1e-5)


def test_all_of_them_is_the_loss_of_all_pairs() -> None:
    views, given = batch([0, 1, 2, 2, 4], anchors=5)
    losses = [
        TotalLoss([LossTerm(BinaryCrossEntropy(), 1.0, "scores", hardest=count)], scorer())(views, given)
        for count in (0, 100)
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-6)


def test_what_is_not_asked_about_has_no_gradient() -> None:
    a, b = rows(4, 1), rows(6, 2).requires_grad_()
    same = torch.eye(4, 6).bool()
    scores, left = hardest(inner, a, b, same, 1)
    nearest = (a @ b.T).masked_fill(same, -2).argmax(dim=1)
    wanted = same.clone()
    wanted[torch.arange(4), nearest] = True
    assert torch.equal(~left, wanted)
    torch.testing.assert_close(scores, (a @ b.T).where(wanted, 0.0))


def test_a_loss_apart_teaches_the_score_and_not_the_vectors() -> None:
    for apart in (False, True):
        views, given = batch([0, 1, 2, 3], anchors=4)
        score = scorer()
        TotalLoss([LossTerm(BinaryCrossEntropy(), 1.0, "scores", apart=apart)], score)(views, given).backward()
        assert all(bool(p.grad is not None and p.grad.any()) for p in score.parameters() if p.ndim > 1)
        assert [view.rows.grad is None for view in views.values()] == [apart, apart]


def test_the_losses_read_a_mixed_score_alone() -> None:
    views, given = batch([0, 1, 2, 3], anchors=4)
    mixed = Mixed(scorer(), support=0)
    mixed.weigh(0, 0, (1, 1, 1))
    term = [LossTerm(BinaryCrossEntropy(), 1.0, "scores", hardest=2)]
    assert TotalLoss(term, mixed)(views, given).item() == TotalLoss(term, scorer())(views, given).item()


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"the loss 'hinge' has hardest = -1; it must be at least 0 \(all\)"):
        Objective("hinge", hardest=-1)
    for use in ("smooth-ap", "deep-cca"):
        recipe = to_recipe({"views": [["a"], ["b"]], "dim": D, "loss": {"use": use, "hardest": 3}})
        with pytest.raises(
            ConfigError, match=rf"the loss '{use}' has hardest = 3; it is for losses of scores that push"
        ):
            make_objective(recipe, None, 0)  # type: ignore[arg-type]
    for option in ({"mix": "no"}, {"support": 1.5}, {"support": True}):
        table = {"views": [["a"], ["b"]], "dim": D, "score": {"use": "pair-scorer", **option}}
        with pytest.raises(ConfigError, match=r"\[score\] has mix = .* and support = .*; give true or false, and a"):
            make_objective(to_recipe(table), None, 0)  # type: ignore[arg-type]


def test_a_loss_apart_has_something_to_teach() -> None:
    for score, on in (({}, "scores"), ({"use": "euclidean"}, "scores"), ({"use": "pair-scorer"}, "vectors")):
        table = {"views": [["a"], ["b"]], "dim": D, "loss": {"use": "infonce", "apart": True, "on": on}}
        with pytest.raises(ConfigError, match=r"the loss 'infonce' has apart = true, and would teach nothing"):
            make_objective(to_recipe(table | ({"score": score} if score else {})), None, 0)  # type: ignore[arg-type]
    table = {"views": [["a"], ["b"]], "dim": D, "loss": {"use": "cross-entropy", "apart": True}}
    assert make_objective(to_recipe(table), None, 3).terms[0].apart  # type: ignore[arg-type]


def test_only_a_score_that_is_learned_whole_is_mixed() -> None:
    for option in ({"mix": False}, {"support": 3}):
        table = {"views": [["a"], ["b"]], "dim": D, "score": {"use": "euclidean", **option}}
        with pytest.raises(ConfigError, match=r"\[score\] has mix or support, and 'euclidean' ranks by itself"):
            make_objective(to_recipe(table), None, 0)  # type: ignore[arg-type]


def test_a_recipe_mixes_a_dense_score_unless_it_says_no() -> None:
    def score(**table: object) -> object:
        recipe = to_recipe({"views": [["a"], ["b"]], "dim": D, "score": table})
        return make_objective(recipe, None, 0).score  # type: ignore[arg-type]

    mixed = score(use="pair-scorer", support=7)
    assert isinstance(mixed, Mixed)
    assert mixed.support == 7
    assert isinstance(score(use="neural-tensor"), Mixed)
    assert isinstance(score(use="pair-scorer", mix=False), PairScorer)
    assert not isinstance(score(use="euclidean"), Mixed)
