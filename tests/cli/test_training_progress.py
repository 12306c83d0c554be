"""What is said while something takes long and no bar can be drawn."""

from __future__ import annotations

import pytest

from duretrieval.cli import training_progress
from duretrieval.cli.training_progress import Stages


def test_lines_take_the_place_of_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(training_progress, "SILENT", 0.0)
    with Stages() as stages:
        for done in (1, 2, 3):
            stages.show("steps", done, 3)
    assert capsys.readouterr().err.splitlines() == ["steps: 1 of 3", "steps: 2 of 3", "steps: 3 done"]


def test_not_a_line_for_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    with Stages() as stages:
        for done in range(1, 1001):
            stages.show("steps", done, 1000)
    assert capsys.readouterr().err.splitlines() == ["steps: 1000 done"]
