"""What decides is printed as it is measured, and not with the sign that makes larger better."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from duretrieval.cli.app import app
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


def test_a_run_that_goes_by_its_loss_says_the_loss(tmp_path: Path) -> None:
    rows = [{"a": f"{one} {two}", "b": f"{two} of {one}"} for one in ("red", "old", "wet") for two in "abcdefgh"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe = {"dim": 8, "encoders.text.use": "bag-of-words", "encoders.text.min_count": 1, "heads.use": "linear"}
    fit = {"fit.monitor": "loss", "fit.epochs": 2, "fit.accelerator": "cpu", "data.val": 0.4, "data.test": 0}
    (tmp_path / "mine.toml").write_text("", encoding="utf-8")
    changes = [f"--set={name}={value}" for name, value in {**recipe, **fit}.items()]
    command = ["train", tmp_path / "mine.toml", "--data", tmp_path / "rows.jsonl", "--out", tmp_path / "run", *changes]
    command += ["--column", "a=text", "--column", "b=text", "--cache", tmp_path / "cache"]
    done = CliRunner().invoke(app, list(map(str, command)))
    assert done.exit_code == 0, done.output
    history = map(json.loads, (tmp_path / "run" / "history.jsonl").read_text(encoding="utf-8").splitlines())
    losses = [row["check"]["loss"] for row in history if "check" in row]
    assert len(losses) == 2
    assert min(losses) > 0
    said = re.findall(r"check (\d): loss (\S+)", done.stderr)
    assert said == [(str(i), f"{loss:.4f}") for i, loss in enumerate(losses, 1)]
