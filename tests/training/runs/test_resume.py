"""A run that is killed and goes on ends as the run that was not: figure by figure, bit by bit."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import transformers
from tests.training.full import no_file_above
from tests.training.killed import everything
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import WholeFiles, stopped
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.folder import Outcome
from duretrieval.training.runs.trained import train

ROOT = Path(__file__).parents[3]


def weights(path: Path) -> dict[str, torch.Tensor]:
    held: dict[str, Any] = torch.load(path, weights_only=True)
    return {key: value for key, value in held["state_dict"].items() if isinstance(value, torch.Tensor)}


def assert_same(one: Path, other: Path) -> None:
    assert history.read(one) == history.read(other)
    for name in ("last.ckpt", "best.ckpt"):
        a, b = weights(one / name), weights(other / name)
        assert a.keys() == b.keys()
        for key, value in a.items():
            assert torch.equal(value, b[key]), key


@pytest.fixture(scope="module")
def whole(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The run that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    torch.set_num_threads(1)
    return folder, train(everything(), data, folder, cache=cache, exporting=False)


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch(
    whole: tuple[Path, Outcome], media: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    folder, outcome = whole
    run = tmp_path / "run"
    command = [sys.executable, "-m", "tests.training.killed", str(media), str(run), str(cache), "5", "cpu", "0.2"]
    path = f"{ROOT / 'src'}:{ROOT}"
    died = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": path, "PYTHONHASHSEED": "1"}, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    assert torch.load(run / "last.ckpt", weights_only=True)["global_step"] == 4
    assert not (run / "result.json").exists()
    again = train(everything(workers=3), data, run, resume=True, cache=cache, exporting=False)
    assert_same(folder, run)
    assert (again.val, again.test, again.epochs, again.best_epoch) == (
        outcome.val,
        outcome.test,
        outcome.epochs,
        outcome.best_epoch,
    )


class Stop(pl.Callback):
    """An error in a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            raise RuntimeError("the lights went out")


def broken_off(data: list[Sample], run: Path, cache: Path, step: int) -> None:
    with pytest.raises(RuntimeError, match="lights"):
        train(everything(), data, run, cache=cache, exporting=False, callbacks=[Stop(step)])


@pytest.mark.parametrize("step", [1, 6, 9])
def test_broken_off_anywhere(
    step: int, whole: tuple[Path, Outcome], data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    """Before the first check, at the end of a check, and in the last steps."""
    broken_off(data, tmp_path / "run", cache, step)
    train(everything(), data, tmp_path / "run", resume=True, cache=cache, exporting=False)
    assert_same(whole[0], tmp_path / "run")


def test_a_run_folder_may_move(whole: tuple[Path, Outcome], data: list[Sample], cache: Path, tmp_path: Path) -> None:
    broken_off(data, tmp_path / "here", cache, 9)
    (tmp_path / "here").rename(tmp_path / "there")
    train(everything(), data, tmp_path / "there", resume=True, cache=cache, exporting=False)
    assert_same(whole[0], tmp_path / "there")
    assert not (tmp_path / "here").exists()


def test_a_finished_run_stays_as_it_is(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Also one that stopped early: it does not train one more epoch each time."""
    stubborn = recipe(fit={"epochs": 30, "patience": 2, "lr": 1e-9})
    run = tmp_path / "run"
    first = train(stubborn, data, run, cache=cache, exporting=False)
    assert first.epochs == first.best_epoch + 3 < 30
    assert stopped(run / "last.ckpt", 2)
    before = (run / "history.jsonl").read_bytes(), weights(run / "last.ckpt")
    second = train(stubborn, data, run, resume=True, cache=cache, exporting=False)
    assert (second.val, second.test, second.epochs) == (first.val, first.test, first.epochs)
    assert (run / "history.jsonl").read_bytes() == before[0]


def test_patience_is_remembered(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    stubborn = recipe(fit={"epochs": 30, "patience": 4, "lr": 1e-9})
    undisturbed = train(stubborn, data, tmp_path / "a", cache=cache, exporting=False)
    with pytest.raises(RuntimeError, match="lights"):
        train(stubborn, data, tmp_path / "b", cache=cache, exporting=False, callbacks=[Stop(9)])
    went_on = train(stubborn, data, tmp_path / "b", cache=cache, resume=True, exporting=False)
    assert went_on.epochs == undisturbed.epochs
    assert_same(tmp_path / "a", tmp_path / "b")


def learning(folder: Path, workers: int) -> Recipe:
    """A text encoder with adapters and dropout and a picture encoder that learn from augmented files."""
    return recipe(
        encoders={
            "text": {"use": "transformer", "model": str(folder / "bert"), "lora": 2},
            "image": {"use": "vision", "model": str(folder / "convnext"), "train": ["*"]},
        },
        augment={"image": {"crop": 0.6, "flip": True}, "text": {"drop": 0.2}},
        fit={"epochs": 3, "check_steps": 2, "hard_negatives": 2, "lr": 1e-2, "workers": workers},
    )


@pytest.fixture(scope="module")
def learned(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models and the run that nobody disturbs, `whole`."""
    folder = tmp_path_factory.mktemp("learned")
    saved("bert", folder)
    convnext(folder / "convnext")
    train(learning(folder, 0), data, folder / "whole", cache=cache, exporting=False)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 5])
def test_encoders_that_learn_go_on_too(
    step: int, learned: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    """Adapters begin as the seed says, dropout is on from the first step, workers read the batches of their epoch."""
    half = learning(learned, 2)
    with pytest.raises(RuntimeError, match="lights"):
        train(half, data, tmp_path / "half", cache=cache, exporting=False, callbacks=[Stop(step)])
    train(half, data, tmp_path / "half", cache=cache, exporting=False, resume=True)
    assert_same(learned / "whole", tmp_path / "half")


def convnext(place: Path) -> None:
    torch.manual_seed(0)
    made = transformers.ConvNextConfig(depths=[1] * 4, hidden_sizes=[8, 8, 16, 16], image_size=32)
    transformers.ConvNextModel(made).save_pretrained(place)
    transformers.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=1.0).save_pretrained(place)


def test_what_was_best_stays_best(whole: tuple[Path, Outcome]) -> None:
    folder, outcome = whole
    checks = [row["check"]["monitor"] for row in history.read(folder) if "check" in row]
    assert outcome.val["monitor"] == pytest.approx(max(checks), abs=1e-6)
    assert checks[outcome.best_epoch] == max(checks)
    assert torch.load(folder / "best.ckpt", weights_only=True)["epoch"] == outcome.best_epoch


def test_memory_and_mined_rows_are_in_the_checkpoint(whole: tuple[Path, Outcome]) -> None:
    held = torch.load(whole[0] / "last.ckpt", weights_only=True)
    assert held["mined"].shape == (48, 2)
    assert {len(view["rows"]) for view in held["memory"]["views"].values()} == {24}


def test_a_run_is_not_written_over(whole: tuple[Path, Outcome], data: list[Sample], cache: Path) -> None:
    folder, _ = whole
    with pytest.raises(ConfigError, match=r"there is a run in .* already; go on with it \(--resume\)"):
        train(everything(), data, folder, cache=cache)
    with pytest.raises(ConfigError, match=r"is of another recipe: seed differ"):
        train(recipe(seed=3, fit=everything_fit()), data, folder, resume=True, cache=cache)
    with pytest.raises(ConfigError, match=r"the data of the run in .* has changed since"):
        train(everything(), data[1:], folder, resume=True, cache=cache)


def everything_fit() -> dict[str, Any]:
    return asdict(everything().fit)


def test_history_forgets_half_a_line(tmp_path: Path) -> None:
    history.append(tmp_path, [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])
    with (tmp_path / history.FILE).open("a") as file:
        file.write('{"step": 3, "lo')
    assert [row["step"] for row in history.read(tmp_path)] == [1, 2]
    history.cut(tmp_path, 1)
    assert history.read(tmp_path) == [{"step": 1, "loss": 2.0}]
    assert history.read(tmp_path / "none") == []


def test_a_checkpoint_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "last.ckpt"
    WholeFiles().save_checkpoint({"step": 1}, path)

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ConfigError, match=r"last\.ckpt cannot be written: no space left\. Make room, and go on"):
        WholeFiles().save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_a_full_disk_is_told_of(tmp_path: Path) -> None:
    """As a limit on the size of files has it."""
    path = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"step": 1}, path)
    with no_file_above(20_000), pytest.raises(ConfigError, match=r"last\.ckpt cannot be written: .*\. Make room"):
        WholeFiles().save_checkpoint({"step": 2, "big": torch.zeros(40_000)}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
