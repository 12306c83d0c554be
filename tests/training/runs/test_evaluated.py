"""`evaluate RUN --split`: what a run says of its rows is found again through the engine, on the same rows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.training.coloured import COLOURS, SHAPES, picture, written
from tests.training.small import PLACES, recipe
from typer.testing import CliRunner

from duretrieval import evaluate
from duretrieval.cli.app import app
from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.request import Request
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.training.runs.evaluated import evaluate_run
from duretrieval.training.runs.folder import Outcome
from duretrieval.training.runs.trained import train

FAST = Bootstrap(resamples=50)
SAME = 2e-3
COLUMNS = {"question": "text", "keywords": "text", "negative": "negative:question"}


@dataclass(frozen=True)
class Trained:
    folder: Path
    data: Path
    outcome: Outcome

    def measured(self, split: str = "test", **request: Any) -> Evaluated:
        return evaluate_run(self.folder, Request(split=split, bootstrap=FAST, **request))


def manifest(folder: Path) -> Path:
    """Words that several rows share, pictures of which some rows have none, keywords of some, a wrong text of each."""
    rows: list[dict[str, Any]] = []
    for number in range(12):
        for colour in COLOURS:
            for shape in SHAPES:
                image = picture(folder, colour, shape, number)
                text = f"a {colour} {shape} on the {PLACES[number]}" if number % 2 else f"a {colour} {shape}"
                row = {
                    "id": image.stem,
                    "question": text,
                    "negative": f"no {shape} but a ship, {number}",
                    "label": colour,
                }
                row["split"] = "train" if number < 6 else "val" if number < 9 else "test"
                if len(rows) % 5:
                    row["image"] = image.name
                if len(rows) % 3 or "image" not in row:
                    row["keywords"] = f"{colour}, {shape}, {PLACES[number]}"
                rows.append(row)
    return written(folder / "rows.jsonl", rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluated")


@pytest.fixture(scope="module")
def trained(folder: Path, cache: Path) -> Callable[..., Trained]:
    """Runs by name, each trained once."""
    known: dict[str, Trained] = {}

    def of(name: str, **tables: Any) -> Trained:
        if name not in known:
            place = folder / name
            (place / "media").mkdir(parents=True)
            data = manifest(place / "media")
            read = {"near_duplicates": False, "columns": COLUMNS, **tables.pop("data", {})}
            outcome = train(recipe(data=read, **tables), data, place / "run", cache=cache)
            known[name] = Trained(place / "run", data, outcome)
        return known[name]

    return of


VIEWS: dict[str, dict[str, Any]] = {
    "columns": {"views": [["question"], ["keywords"], ["image"]]},
    "fused": {"views": [["question"], ["image", "keywords"]], "fusion": {"use": "gated"}},
    "labels": {"views": [["question"], ["image"]], "data": {"positives": ["label"]}},
    "whole items": {
        "views": [["question", "image"]],
        "fusion": {"use": "gated"},
        "loss": "cross-entropy",
        "data": {"positives": ["key", "text", "file", "label"]},
        "fit": {"epochs": 2},
    },
    "scored": {"views": [["question"], ["image"]], "score": {"use": "pair-scorer"}},
}


def said(found: Evaluated) -> dict[str, float]:
    return {
        f"{pair.query}→{pair.gallery}/{score.measure}": score.value
        for pair in found.evaluation.pairs
        for score in pair.scores
    }


@pytest.mark.parametrize("name", VIEWS)
def test_a_run_says_what_evaluate_says(name: str, trained: Callable[..., Trained]) -> None:
    run = trained(name, **VIEWS[name])
    for split in ("test", "val"):
        ours, theirs = said(run.measured(split)), getattr(run.outcome, split)
        retrieval = {key: value for key, value in theirs.items() if "→" in key}
        assert len(retrieval) >= 10
        assert {key: ours[key] for key in retrieval} == pytest.approx(retrieval, abs=SAME)
        assert {f"{p.query}→{p.gallery}": len(p.queries) for p in run.measured(split).evaluation.pairs} == (
            run.outcome.queries[split]
        )


def test_negatives_and_rows_without_a_picture_are_searched_and_missed(trained: Callable[..., Trained]) -> None:
    run = trained("columns", **VIEWS["columns"])
    pair = run.measured().evaluation.pair("image-question")
    assert pair.gallery_size == 18 + 6  # what is asked for, and two wrong texts of each of three numbers
    assert len(pair.queries) == sum("image" in row for row in _rows(run.data) if row["split"] == "test")
    labels = trained("labels", **VIEWS["labels"]).measured().evaluation.pair("image-question")
    assert labels.gallery_size == 18 + 18  # equal texts are one only where texts count


def _rows(data: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in data.read_text().splitlines()]


def test_a_run_keeps_the_ids_of_its_rows(trained: Callable[..., Trained]) -> None:
    run = trained("columns", **VIEWS["columns"])
    ids = json.loads((run.folder / "splits.json").read_text())
    for split in ("train", "val", "test"):
        assert ids[split] == [row["id"] for row in _rows(run.data) if row["split"] == split]


def cli(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_and_its_options(trained: Callable[..., Trained], tmp_path: Path) -> None:
    run = trained("fused", **VIEWS["fused"])
    out = cli("evaluate", run.folder, "--split", "val", "--report", tmp_path / "page", "--metric", "rr")
    assert "question-image+keywords" in out
    page = (tmp_path / "page" / "report.html").read_text()
    assert "image+keywords" in page
    assert "run, val" in page
    assert "data:image/jpeg" in page
    lines = cli("evaluate", run.folder, "--split", "val", "--against", tmp_path / "page", "--json").splitlines()
    rows = [json.loads(line) for line in lines]
    found = {(row["kind"], row["pair"], row["measure"]): row for row in rows}
    theirs = run.outcome.val["question→image+keywords/rr"]
    assert found["figure", "question-image+keywords", "rr"]["value"] == pytest.approx(theirs, abs=SAME)
    assert found["difference", "question-image+keywords", "rr"]["difference"] == 0
    assert ("figure", "question-image+keywords", "hit@1") in found


def test_without_torch(trained: Callable[..., Trained]) -> None:
    run = trained("fused", **VIEWS["fused"])
    code = "import sys; sys.modules.update(torch=None, transformers=None); from duretrieval.cli.app import app; app()"
    command = [sys.executable, "-c", code, "evaluate", str(run.folder), "--json", "--metric", "rr"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    values = {row["pair"]: row["value"] for row in map(json.loads, done.stdout.splitlines())}
    theirs = run.outcome.test["image+keywords→question/rr"]
    assert values["image+keywords-question"] == pytest.approx(theirs, abs=SAME)


def test_data_that_moved_is_named_and_must_be_the_same(trained: Callable[..., Trained], tmp_path: Path) -> None:
    run = trained("columns", **VIEWS["columns"])
    moved = Path(shutil.copytree(run.data.parent, tmp_path / "moved"))
    alone = Path(shutil.copytree(run.folder, tmp_path / "run"))
    facts = json.loads((alone / "run.json").read_text())
    (alone / "run.json").write_text(json.dumps({**facts, "data": str(tmp_path / "gone.jsonl")}))
    with pytest.raises(ConfigError, match=r"is not at .*gone\.jsonl; say where with --data"):
        evaluate_run(alone)
    found = evaluate_run(alone, Request(data=moved / "rows.jsonl", bootstrap=FAST))
    assert said(found) == said(run.measured())
    rows = _rows(moved / "rows.jsonl")
    written(moved / "rows.jsonl", [{**row, "split": "test"} for row in rows])  # the run's own splits count
    assert said(evaluate_run(alone, Request(data=moved / "rows.jsonl", bootstrap=FAST))) == said(found)
    written(moved / "rows.jsonl", rows[:-1])
    with pytest.raises(ConfigError, match=r"has changed since: .*does not hold the rows"):
        evaluate_run(alone, Request(data=moved / "rows.jsonl"))


def test_what_cannot_be_evaluated_is_said(trained: Callable[..., Trained], tmp_path: Path) -> None:
    run = trained("columns", **VIEWS["columns"])
    with pytest.raises(ConfigError, match=r"no rows called 'tset'\. Did you mean 'test'"):
        run.measured("tset")
    with pytest.raises(ConfigError, match="--positives has nothing to do with a run of training, which is evaluated"):
        run.measured(positives=("label",))
    with pytest.raises(EvaluationError, match=r"is a run of training, which duretrieval\.training\.evaluate_run"):
        evaluate(run.folder)
    with pytest.raises(ConfigError, match="--split has nothing to do with a model"):
        evaluate(run.folder / "model", Request(data=run.data, split="val"))
    bare = Path(shutil.copytree(run.folder, tmp_path / "bare"))
    shutil.rmtree(bare / "model")
    with pytest.raises(EvaluationError, match="has no model yet; go on with it"):
        evaluate_run(bare)
    ids = json.loads((bare / "splits.json").read_text())
    (bare / "splits.json").write_text(json.dumps({**ids, "val": 3}))
    with pytest.raises(ConfigError, match=r"splits\.json is damaged \(it has no lists of ids for train, val, test\)"):
        evaluate_run(bare)
    (bare / "splits.json").unlink()
    with pytest.raises(ConfigError, match=r"there is no splits\.json, which the same command with --resume writes"):
        evaluate_run(bare)


def test_a_run_without_test_rows_says_what_it_has(folder: Path, cache: Path) -> None:
    place = folder / "two"
    place.mkdir()
    rows = [row for row in _rows(manifest(place)) if row["split"] != "test"]
    data = written(place / "rows.jsonl", rows)
    read = {"near_duplicates": False, "columns": COLUMNS, "test": 0.0}
    train(recipe(data=read, views=[["question"], ["image"]]), data, place / "run", cache=cache)
    with pytest.raises(EvaluationError, match=r"has no test rows; it has 36 train, 18 val, 0 test\. Say"):
        evaluate_run(place / "run")
    assert said(evaluate_run(place / "run", Request(split="val", bootstrap=FAST)))
