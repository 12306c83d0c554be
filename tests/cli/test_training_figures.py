"""What decides is printed as it is measured, and not with the sign that makes larger better."""

import pytest

from duretrieval.cli.training_progress import Stages
from duretrieval.cli.training_tables import figure, trial_line
from duretrieval.training.tuning.trial import Trial


@pytest.mark.parametrize(
    ("monitor", "decides", "said"),
    [("loss", -2.0421, "loss 2.0421"), ("median-rank", -3.0, "median-rank 3.0000"), ("rr", 0.25, "rr 0.2500")],
)
def test_what_decides_as_it_is(monitor: str, decides: float, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert figure(monitor, decides) == said
    Stages().check(monitor)(0, decides)
    assert capsys.readouterr().err == f"check 1: {said}\n"
    assert trial_line(Trial(3, {"fit.lr": 0.001}, "complete", decides), monitor) == f"trial 3  {said}  fit.lr=0.001"
