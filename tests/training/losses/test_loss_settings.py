"""What losses refuse, and what the learned ones keep to."""

import math

import pytest
import torch

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.contrastive import Contrastive
from duretrieval.training.losses.hinge import Hinge
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.pairs import read_pairs
from duretrieval.training.losses.sigmoid import PairwiseSigmoid
from duretrieval.training.losses.smooth_ap import SmoothAp
from duretrieval.training.losses.triplet import Triplet


@pytest.mark.parametrize("loss", [Hinge, Contrastive, Triplet])
@pytest.mark.parametrize("margin", [0.0, -0.2, math.inf, math.nan])
def test_a_margin_is_above_0(loss: type, margin: float) -> None:
    with pytest.raises(ConfigError, match=r"margin is .*; it must be above 0"):
        loss(margin)


def test_words_that_are_none_of_the_choices() -> None:
    with pytest.raises(ConfigError, match="form is 'mean'; it must be 'sum' or 'max'"):
        Hinge(form="mean")
    with pytest.raises(ConfigError, match="mining is 'easy'; it must be 'all', 'hard' or 'semi-hard'"):
        Triplet(mining="easy")
    for loss in (Triplet, Contrastive):
        with pytest.raises(ConfigError, match=r"scores are 'dot'.* take the loss 'hinge' or 'infonce'"):
            loss(scores="dot")


def test_temperatures_and_scales() -> None:
    for temperature in (0.0, -1.0, 0.009, math.nan):
        with pytest.raises(ConfigError, match=r"temperature is .*must be at least 1 / max_scale"):
            InfoNce(temperature)
    assert InfoNce(0.01).temperature == pytest.approx(0.01)
    with pytest.raises(ConfigError, match="temperature is 0; it must be above 0"):
        SmoothAp(0)
    for scale, bias in ((0.0, 0.0), (1001.0, 0.0), (1.0, math.inf)):
        with pytest.raises(ConfigError, match="the scale must be above 0 and at most 1000"):
            PairwiseSigmoid(scale, bias)


def test_scores_and_masks_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"expected scores \(n, m\) .*got \(3, 2\)"):
        read_pairs(torch.zeros(3, 2), torch.zeros(3, 2, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"got \(0, 2\)"):
        read_pairs(torch.zeros(0, 2), torch.zeros(0, 2, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"got \(2, 2\) of torch.bool"):
        read_pairs(torch.zeros(2, 3), torch.zeros(2, 2, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"of torch.int64\. `same_key` makes one"):
        read_pairs(torch.zeros(2, 2), torch.eye(2).long())


def test_a_partner_is_a_partner_whatever_the_mask_says() -> None:
    pairs = read_pairs(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.bool))
    assert pairs.negative.tolist() == [[False, True, True], [True, False, True]]


def perfect(n: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    return 2 * torch.eye(n) - 1, torch.eye(n, dtype=torch.bool)


def test_the_temperature_learns_and_stays_in_bounds() -> None:
    """Perfect pairs want it ever colder; it stops at 1 / max_scale, and comes back when they no longer are perfect."""
    loss = InfoNce(0.5, max_scale=20)
    scores, same = perfect()
    optimiser = torch.optim.SGD(loss.parameters(), lr=100)
    for _ in range(30):
        optimiser.zero_grad()
        loss(scores, same).backward()
        optimiser.step()
    loss(scores, same)
    assert loss.temperature == pytest.approx(1 / 20)
    for _ in range(3):
        optimiser.zero_grad()
        (loss(-scores, same) / 1000).backward()
        optimiser.step()
    assert loss.temperature > 1.5 / 20


@pytest.mark.parametrize("loss", [InfoNce(learned=False), PairwiseSigmoid(learned=False)])
def test_what_does_not_learn_stays(loss: torch.nn.Module) -> None:
    scores, same = perfect()
    loss(scores.requires_grad_(), same).backward()
    assert [p.grad for p in loss.parameters()] == [None] * len(list(loss.parameters()))


@pytest.mark.parametrize("make", [InfoNce, PairwiseSigmoid])
def test_what_is_learned_is_saved(make: type) -> None:
    before, after = make(), make()
    for p in before.parameters():
        p.data += 0.3
    after.load_state_dict(before.state_dict())
    scores, same = perfect()
    scores = scores / 10
    assert after(scores, same).item() == before(scores, same).item() != make()(scores, same).item()
