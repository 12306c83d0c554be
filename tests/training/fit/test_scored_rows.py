"""Rows with scores are judged by how far similarities follow them, and a run can be chosen by that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from scipy import stats
from tests.training.coloured import COLOURS
from tests.training.small import PLACES, recipe

from duretrieval.errors import ConfigError
from duretrieval.evaluation.request import Request
from duretrieval.training.data.batch import View
from duretrieval.training.fit import history
from duretrieval.training.fit.validation import graded
from duretrieval.training.runs.evaluated import evaluate_run
from duretrieval.training.runs.trained import train


def test_only_rows_that_have_both_views_and_a_score_count() -> None:
    a = View(torch.nn.functional.normalize(torch.randn(200, 8), dim=1), torch.rand(200) < 0.8)
    b = View(torch.nn.functional.normalize(torch.randn(200, 8), dim=1), torch.rand(200) < 0.8)
    similar = (a.rows * b.rows).sum(dim=1)
    scores = (similar + 0.3 * torch.randn(200)).clamp(0, 1)
    scores[::7] = torch.nan
    at = a.present & b.present & ~scores.isnan()
    found = graded({"a": a, "b": b}, scores)
    assert found["a→b"] == found["b→a"]
    assert found["a→b"]["spearman"] == pytest.approx(stats.spearmanr(similar[at], scores[at]).statistic, abs=1e-6)
    assert graded({"a": a, "b": b}, None) == {}


def written(folder: Path, scores: bool = True) -> Path:
    """Two sentences a row, which are like one another as their colours and places are."""
    lines = ["id,sentence1,sentence2,split" + (",score" if scores else "")]
    for number in range(96):
        one, other = list(COLOURS)[number % 3], list(COLOURS)[number // 3 % 3]
        here, there = PLACES[number % 12], PLACES[number // 8]
        split = "train" if number % 4 < 2 else "val" if number % 4 == 2 else "test"
        score = f",{(one == other) * 0.8 + (here == there) * 0.2:.1f}" if scores else ""
        lines.append(f"r{number},a {one} ball on the {here},a {other} ball on the {there},{split}{score}")
    path = folder / "sts.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


DATA = {"near_duplicates": False, "columns": {"sentence1": "text", "sentence2": "text", "score": "score"}}
VIEWS = [["sentence1"], ["sentence2"]]


def test_a_run_is_chosen_by_them_and_evaluate_says_the_same(tmp_path: Path, cache: Path) -> None:
    data = written(tmp_path)
    fit = {"epochs": 6, "monitor": "spearman"}
    outcome = train(
        recipe(data=DATA, views=VIEWS, loss={"use": "cosent"}, fit=fit), data, tmp_path / "run", cache=cache
    )
    checks = [row["check"] for row in history.read(tmp_path / "run") if "check" in row]
    assert outcome.val["monitor"] == pytest.approx(outcome.val["sentence1→sentence2/spearman"])
    assert outcome.val["monitor"] == pytest.approx(max(check["monitor"] for check in checks), abs=1e-6)
    for split in ("val", "test"):
        totals = evaluate_run(tmp_path / "run", Request(split=split)).evaluation.totals
        for name in ("spearman", "pearson"):
            theirs = getattr(outcome, split)[f"sentence1→sentence2/{name}"]
            assert totals[f"sentence1-sentence2/{name}"] == pytest.approx(theirs, abs=2e-3)


def test_rows_without_scores_cannot_be_judged_so(tmp_path: Path, cache: Path) -> None:
    data = written(tmp_path, scores=False)
    read = {**DATA, "columns": {"sentence1": "text", "sentence2": "text"}}
    with pytest.raises(
        ConfigError, match=r"'spearman' cannot be measured on .*needs 2 rows that have two views and a "
    ):
        train(recipe(data=read, views=VIEWS, fit={"monitor": "spearman"}), data, tmp_path / "run", cache=cache)
