"""A manifest whose rows have scores: the similarity of two columns against them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.evaluation import result_json
from duretrieval.evaluation.request import Request, evaluate
from duretrieval.model.model import Model
from duretrieval.types import Modality, Part

PAIRS = (
    ("a cat sleeps", "a cat is asleep", 5.0),
    ("a red bus", "a red car", 3.0),
    ("rain on a window", "the stock market fell", 0.0),
    ("a man plays a guitar", "a man plays an instrument", 4.0),
    ("two dogs run", "a dog runs on grass", 3.0),
    ("a ship at sea", "a recipe for soup", 0.5),
    ("a cat sleeps", "a bridge of stone", 0.0),
)
COLUMNS = {"sentence1": "text", "sentence2": "text", "score": "score:5"}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "sts.csv"
    lines = ["sentence1,sentence2,score", *(f"{one},{other},{score}" for one, other, score in PAIRS)]
    path.write_text("\n".join(lines) + "\n")
    return path


def by_hand() -> tuple[float, float]:
    model = Model.load("builtin")
    one, other = (model.encode([Part(Modality.TEXT, pair[side]) for pair in PAIRS]) for side in (0, 1))
    similar, scores = (one.astype(float) * other).sum(axis=1), np.array([pair[2] for pair in PAIRS])
    return stats.spearmanr(similar, scores).statistic, stats.pearsonr(similar, scores).statistic


def test_the_order_of_similarities_follows_that_of_scores(manifest: Path) -> None:
    totals = evaluate("builtin", Request(data=manifest, columns=COLUMNS)).evaluation.totals
    spearman, pearson = by_hand()
    assert 0.3 < spearman < 1
    assert totals == {
        "sentence1-sentence2/spearman": pytest.approx(spearman, abs=1e-5),
        "sentence1-sentence2/pearson": pytest.approx(pearson, abs=1e-5),
    }


def test_on_the_terminal_and_in_a_report(manifest: Path, tmp_path: Path) -> None:
    columns = ",".join(f"{name}={role}" for name, role in COLUMNS.items())
    asked = ["evaluate", "builtin", "--data", str(manifest), "--column", columns]
    done = CliRunner().invoke(app, [*asked, "--report", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert f"sentence1-sentence2/spearman: {by_hand()[0]:.4g}" in done.stdout
    assert "sentence1-sentence2/spearman" in (tmp_path / "out" / "report.html").read_text()
    kept = result_json.load(tmp_path / "out" / "result.json").totals["sentence1-sentence2/pearson"]
    lines = CliRunner().invoke(app, [*asked, "--json"]).stdout.splitlines()
    assert [json.loads(line)["value"] for line in lines] == [pytest.approx(by_hand()[0], abs=1e-5), pytest.approx(kept)]
