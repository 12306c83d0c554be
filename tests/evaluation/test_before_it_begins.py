"""What is wrong with a request is said before anything is measured, and nothing is passed over."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from tests.hashed import hashed
from typer.testing import CliRunner

from duretrieval.cli.app import app
from duretrieval.collection.collection import Collection
from duretrieval.errors import ConfigError, EvaluationError, ModelError
from duretrieval.evaluation import request as requests
from duretrieval.evaluation.request import TAKES, Request, evaluate
from duretrieval.evaluation.result_json import from_json, load
from duretrieval.types import Item, Modality, Part


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection whose model has moved, and judgements of it."""
    monkeypatch.chdir(tmp_path)
    hashed(tmp_path / "made_with", 32)
    with Collection.open("c", "made_with") as collection:
        collection.add([Item(name, name, (Part(Modality.TEXT, f"a {name}"),)) for name in ("bus", "dog", "猫")])
    Path("made_with").rename("moved")
    Path("judged.jsonl").write_text(json.dumps({"query": "a dog", "item": "dog", "gain": 1}), encoding="utf-8")
    return tmp_path


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No search is timed, nothing is encoded."""
    for name in ("measure_health", "Model"):
        monkeypatch.delattr(requests, name)


def test_a_model_that_has_moved_is_named(place: Path) -> None:
    with pytest.raises(ModelError, match="Say where it is with --model FOLDER"):
        evaluate("c", Request(data="judged.jsonl"))
    [pair, _] = evaluate("c", Request(data="judged.jsonl", model="moved", queries=3)).evaluation.pairs
    assert pair.score("hit@1").value == 1.0
    done = CliRunner().invoke(app, ["evaluate", "c", "--data", "judged.jsonl", "--model", "moved", "--queries", "3"])
    assert done.exit_code == 0, done.output
    assert "1 query" in done.output


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("option", ["data", "judgements"])
def test_judgements_that_are_not_there(place: Path, option: str) -> None:
    with pytest.raises(EvaluationError, match=f"there is no file gone.jsonl, named with --{option}; a collection is"):
        evaluate("c", Request(model="moved", **{option: "gone.jsonl"}))  # type: ignore[arg-type]


@pytest.mark.usefixtures("unmeasured")
def test_metrics_that_are_not_there(place: Path) -> None:
    with pytest.raises(ConfigError, match="no metric called 'hit'; there are hit@K"):
        evaluate("c", Request(data="judged.jsonl", metrics=("hit",)))
    with pytest.raises(ConfigError, match="--metric is of what was judged, and there are no judgements; name them"):
        evaluate("c", Request(metrics=("hit@1",)))


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("what", "said", "complaint"),
    [
        (
            "c",
            {"protocol": "coco-5k"},
            "--protocol has nothing to do with a collection, which is evaluated with --data, ",
        ),
        ("c", {"pair": ("text", "image")}, "--pair has nothing to do with a collection"),
        ("builtin", {"judgements": "judged.jsonl"}, "--judgements has nothing to do with a model, which is evaluated "),
        ("builtin", {"model": "moved"}, "--model has nothing to do with a model"),
        (
            "judged.jsonl",
            {"queries": 3},
            "--queries has nothing to do with a run, which is evaluated with --data, --jud",
        ),
        (
            "m.npy",
            {"data": "judged.jsonl"},
            "--data has nothing to do with a matrix, which is evaluated with --protocol",
        ),
        ("r.json", {"labels": "x"}, "--labels has nothing to do with a result, whose figures are there already; leave"),
    ],
)
def test_what_would_be_passed_over_is_refused(place: Path, what: str, said: dict[str, object], complaint: str) -> None:
    for name in ("m.npy", "r.json"):
        Path(name).touch()
    with pytest.raises(ConfigError, match=complaint):
        evaluate(what, Request(**said))  # type: ignore[arg-type]


def test_every_setting_is_one_of_something() -> None:
    taken = {name for names in TAKES.values() for name in names}
    assert taken == {field.name for field in fields(Request)} - {"bootstrap", "command"}
    help_page = CliRunner().invoke(app, ["evaluate", "--help"], env={"COLUMNS": "200"}).output
    assert all(requests._option(name) in help_page for name in taken)


def test_an_earlier_result_is_looked_for_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(requests, "evaluate")
    done = CliRunner().invoke(app, ["evaluate", "c", "--model", "moved", "--against", "gone"])
    assert "there is no result at gone" in str(done.exception)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda e: e["pairs"][0]["scores"][0].update(values=[1.0]), "3 queries have 1 values of hit@1"),
        (lambda e: e.update(level="high"), "could not convert string to float"),
    ],
)
def test_a_result_that_does_not_fit_together(change: object, complaint: str) -> None:
    score = {"measure": "hit@1", "value": 1, "low": 1, "high": 1, "n": 3, "values": [1, 1, 1]}
    pair = {"query": "any", "gallery": "any", "queries": ["a", "b", "c"], "gallery_size": 3, "scores": [score]}
    held = {"format": 1, "name": "x", "level": 0.95, "totals": {}, "provenance": {}}
    held |= {"pairs": [pair | {"cluster": None, "fold": None}]}
    assert from_json(json.dumps(held)).pairs[0].score("hit@1").n == 3
    change(held)  # type: ignore[operator]
    with pytest.raises(EvaluationError, match=rf"not an evaluation written by duretrieval \(ValueError: {complaint}"):
        from_json(json.dumps(held))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x89PNG", b"[" * 100_000])
def test_a_result_that_is_none_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(EvaluationError, match=r"r\.json is not an evaluation written by duretrieval"):
        load(tmp_path / "r.json")
