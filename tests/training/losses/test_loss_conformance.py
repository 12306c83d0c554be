"""The shipped suite, run over every loss of scores that is shipped."""

import subprocess
import sys

import pytest
import torch

from duretrieval.testing import LossSuite
from duretrieval.training import parts
from duretrieval.training.losses.binary_cross_entropy import BinaryCrossEntropy
from duretrieval.training.losses.contrastive import Contrastive
from duretrieval.training.losses.hinge import Hinge
from duretrieval.training.losses.infonce import InfoNce
from duretrieval.training.losses.sigmoid import PairwiseSigmoid
from duretrieval.training.losses.smooth_ap import SmoothAp
from duretrieval.training.losses.triplet import Triplet


class TestInfoNce(LossSuite):
    def make(self):
        return InfoNce()


class TestInfoNceWarm(LossSuite):
    def make(self):
        return InfoNce(temperature=1.0, learned=False)


class TestHingeSum(LossSuite):
    def make(self):
        return Hinge()


class TestHingeMax(LossSuite):
    def make(self):
        return Hinge(form="max")


class TestContrastive(LossSuite):
    def make(self):
        return Contrastive()


class TestContrastiveOfDistances(LossSuite):
    def make(self):
        return Contrastive(scores="euclidean")

    def scores(self, cosines):
        return -(2 - 2 * cosines).clamp(min=0).sqrt()


class TestTripletAll(LossSuite):
    def make(self):
        return Triplet(mining="all")


class TestTripletHard(LossSuite):
    def make(self):
        return Triplet(mining="hard")


class TestTripletSemiHard(LossSuite):
    def make(self):
        return Triplet(mining="semi-hard")


class TestTripletOfDistances(TestContrastiveOfDistances):
    def make(self):
        return Triplet(scores="euclidean")


class TestPairwiseSigmoid(LossSuite):
    def make(self):
        return PairwiseSigmoid()


class TestSmoothAp(LossSuite):
    def make(self):
        return SmoothAp()


class TestBinaryCrossEntropy(LossSuite):
    def make(self):
        return BinaryCrossEntropy()


def test_every_registered_loss_of_scores_is_here() -> None:
    tested = {type(suite().make()) for suite in LossSuite.__subclasses__()}
    found = {parts.find("train.losses", name) for name in parts.TABLE["train.losses"]}
    assert {loss for loss in found if getattr(loss, "reads", "scores") == "scores"} <= tested


class PullsTogetherOnly:
    """No loss: all rows in one place would be its best."""

    def __call__(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        return -scores.mean()


class ForgetsTheMask:
    """A cross-entropy that takes every other candidate for a negative."""

    def __call__(self, scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(scores.float(), torch.arange(len(scores)))


@pytest.mark.parametrize("wrong", [PullsTogetherOnly, ForgetsTheMask])
def test_the_suite_notices_what_is_no_loss(wrong: type) -> None:
    class Suite(LossSuite):
        def make(self):
            return wrong()

    with pytest.raises(AssertionError):
        Suite().test_partners_are_pulled_negatives_pushed_and_false_negatives_never_pushed()


def test_the_suites_do_not_import_torch() -> None:
    code = "import sys, duretrieval.testing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
