"""A run folder that somebody else made, or that a fault of the disk hit: a sentence, and no traceback."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.small import recipe

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import read_checkpoint, run_state
from duretrieval.training.runs.folder import described, facts
from duretrieval.training.runs.reopened import export_run, reopen
from duretrieval.training.runs.run import load
from duretrieval.training.runs.trained import train


@pytest.fixture(scope="module")
def finished(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    train(recipe(fit={"epochs": 1}), data, folder, cache=cache, exporting=False)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("[]", r"run\.json is damaged \(it has no data and digest\); train again elsewhere"),
        ("{}", r"run\.json is damaged \(it has no data and digest\)"),
        ('{"data": 3, "digest": "a"}', r"run\.json is damaged \(its data and digest are no strings\)"),
        ("\xff", r"run\.json is damaged \(.*codec"),
    ],
)
def test_facts_that_are_none(held: str, said: str, run: Path) -> None:
    (run / "run.json").write_bytes(held.encode("latin-1"))
    with pytest.raises(ConfigError, match=said):
        facts(run)
    with pytest.raises(ConfigError, match=said):
        export_run(run, run / "model")


def test_a_recipe_that_is_none(run: Path) -> None:
    (run / "recipe.json").write_text("[]")
    with pytest.raises(ConfigError, match=r"recipe\.json is \[\]; it must be a table"):
        described(run)
    (run / "recipe.json").write_text(json.dumps({"heads": {"smell": {"use": "mlp"}}}))
    with pytest.raises(ConfigError, match=r"recipe\.json: \[heads\] has no setting 'smell'"):
        described(run)


@pytest.mark.parametrize("held", [3, [1], {"epoch": 1}])
def test_a_checkpoint_of_no_run(held: Any, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "a.ckpt")
    with pytest.raises(ConfigError, match=r"a\.ckpt is the state of no run: it has no 'state_dict'\. Give the folder"):
        run_state(tmp_path / "a.ckpt")


def test_a_checkpoint_of_another_recipe(run: Path, data: list[Sample], cache: Path, tmp_path: Path) -> None:
    other = recipe(fit={"epochs": 1}, heads={"use": "linear"})
    train(other, data, tmp_path / "other", cache=cache, exporting=False)
    with pytest.raises(ConfigError, match=r"best\.ckpt is the state of another recipe: .*Missing key"):
        load(reopen(run, data=data, cache=cache), tmp_path / "other" / "best.ckpt")


@pytest.mark.parametrize("zipped", [True, False])
def test_bytes_at_random_in_a_checkpoint(zipped: bool, tmp_path: Path) -> None:
    """Whatever torch's reader stumbles over: it raises a dozen kinds of errors."""
    held = dict.fromkeys(("callbacks", "epoch", "global_step", "mined", "memory"), 1)
    path = tmp_path / "a.ckpt"
    torch.save({**held, "state_dict": {"a": torch.zeros(3, 4)}}, path, _use_new_zipfile_serialization=zipped)
    whole, rng, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(400):
        bad = bytearray(whole)
        bad[rng.randrange(len(bad))] = rng.randrange(256)
        path.write_bytes(bad[: rng.randrange(len(bad))] if rng.random() < 0.2 else bad)
        try:
            read_checkpoint(path)
        except ConfigError:
            refused += 1
    assert refused > 100


def test_history_that_was_cut_anywhere(tmp_path: Path) -> None:
    """Also in the middle of a character; and names of columns may hold what some take for the end of a line."""
    rows: list[dict[str, Any]] = [
        {"step": 1, "check": {"text→image/rr": 0.5}},
        {"step": 2, "check": {"a\u2028b/rr": 1}},
    ]
    history.append(tmp_path, rows)
    assert history.read(tmp_path) == rows
    path = tmp_path / history.FILE
    whole = path.read_bytes()
    first = whole.index(b"\n")
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert history.read(tmp_path) == (rows if end == len(whole) - 1 else rows[:1] if end >= first else [])


def test_reading_a_run_writes_nothing_into_it(run: Path, data: list[Sample], cache: Path) -> None:
    (run / "problems.txt").write_text("as it was\n")
    before = sorted(run.iterdir())
    reopen(run, data=data, cache=cache)
    assert sorted(run.iterdir()) == before
    assert (run / "problems.txt").read_text() == "as it was\n"
