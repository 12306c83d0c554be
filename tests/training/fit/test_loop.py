"""How it is trained: learning rates, groups, precision, devices, what is watched."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe

from duretrieval.errors import ConfigError, Diverged
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.loop import Training, trainer
from duretrieval.training.runs.run import Run, assemble, training
from duretrieval.training.runs.trained import train


@pytest.fixture
def assembled(data: list[Sample], cache: Path, tmp_path: Path) -> Any:
    def made(**tables: Any) -> Run:
        return assemble(recipe(**tables), (data, []), tmp_path / "run", cache=cache)

    return made


def rates(module: Training) -> list[float]:
    """The learning rate of each step."""
    made = module.configure_optimizers()
    optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    found = []
    for _ in range(module.fit.epochs * module.order.steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_warm_up_then_half_a_cosine(assembled: Any) -> None:
    module = training(assembled(fit={"epochs": 10, "lr": 2.0, "warmup": 0.1}))  # 30 steps, 3 of them warm-up
    found = rates(module)
    assert found[:4] == pytest.approx([2 / 3, 4 / 3, 2, 2])
    expected = [1 + math.cos(math.pi * (step - 3) / 27) for step in range(3, 30)]
    assert found[3:] == pytest.approx(expected)


def test_warm_up_then_level(assembled: Any) -> None:
    fit = {"epochs": 4, "lr": 1.0, "warmup": 0.25, "schedule": "constant"}
    assert rates(training(assembled(fit=fit))) == pytest.approx([1 / 3, 2 / 3] + [1.0] * 10)
    assert rates(training(assembled(fit={**fit, "warmup": 0.0}))) == pytest.approx([1.0] * 12)


def test_epochs_are_passes_however_often_is_checked(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """48 rows in batches of 16 are 3 steps; 4 passes checked every 5 steps are 12 steps in 3 checks, the last whole."""
    outcome = train(
        recipe(fit={"epochs": 4, "check_steps": 5, "patience": 0}), data, tmp_path / "run", cache=cache, exporting=False
    )
    found = history.read(tmp_path / "run")
    assert outcome.epochs == 3
    assert [row["step"] for row in found if "check" in row] == [5, 10, 15]
    assert [row["step"] for row in found if "loss" in row] == list(range(1, 16))


def test_mining_follows_passes(assembled: Any) -> None:
    module = training(assembled(fit={"check_steps": 2, "mine_every": 2, "hard_negatives": 1}))
    assert module.order.per_pass == 3
    # an epoch begins at steps 0, 2, 4, ...; two passes end at steps 6, 12, 18
    assert [epoch for epoch in range(10) if module._mines(epoch)] == [3, 6, 9]
    whole = training(assembled(fit={"hard_negatives": 1}))
    assert [epoch for epoch in range(4) if whole._mines(epoch)] == [1, 2, 3]


def test_biases_and_norms_are_not_decayed(assembled: Any) -> None:
    optimizer = training(assembled(fit={"weight_decay": 0.5, "optimizer": "sgd"})).configure_optimizers()["optimizer"]
    assert isinstance(optimizer, torch.optim.SGD)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.0]
    assert all(p.ndim > 1 for p in optimizer.param_groups[0]["params"])
    assert all(p.ndim <= 1 for p in optimizer.param_groups[1]["params"])
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    run = assembled()
    assert len(known) == len(list(run.network.parameters())) + len(list(run.objective.parameters()))


def test_each_group_has_its_rate(assembled: Any) -> None:
    run = assembled()
    module = training(run)
    (parameters, _), *_ = module.groups
    module.groups = [(parameters[:2], None), (parameters[2:4], 0.0), (parameters[4:], 1e-5)]
    made = module.configure_optimizers()["optimizer"]
    base = {id(p): g["initial_lr"] for g in made.param_groups for p in g["params"]}
    assert {base[id(p)] for p in parameters[:2]} == {run.recipe.fit.lr}
    assert {base[id(p)] for p in parameters[2:4]} == {0.0}
    assert {base[id(p)] for p in parameters[4:]} == {1e-5}


def test_the_gradient_is_clipped(assembled: Any) -> None:
    """With a plain step of rate 1 and no more than 0.01 of gradient, no parameter goes farther than that."""
    run = assembled(fit={"optimizer": "sgd", "lr": 1.0, "clip": 0.01, "epochs": 1, "weight_decay": 0.0, "warmup": 0.0})
    before = torch.cat([p.detach().flatten().clone() for p in run.network.parameters()])

    module = training(run)
    module.order.steps = 1
    run.folder.mkdir()
    driver = trainer(run.recipe.fit, 1, run.folder, [], progress=False)
    with warnings.catch_warnings(action="ignore"):
        driver.fit(module)
    after = torch.cat([p.detach().flatten() for p in run.network.parameters()])
    assert 0 < float((after - before).norm()) <= 0.0101


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in history.read(folder) if "loss" in row]


def test_half_precision_stays_near(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    still = {"use": "mlp", "hidden": 16, "dropout": 0.0}
    for precision in ("32", "bf16-mixed"):
        made = recipe(heads=still, fit={"precision": precision, "memory": 20, "epochs": 4})
        train(made, data, tmp_path / precision, cache=cache, exporting=False)
    one, other = losses(tmp_path / "32"), losses(tmp_path / "bf16-mixed")
    assert one != other
    np.testing.assert_allclose(one, other, rtol=0.03)


def test_training_learns(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    made = recipe(fit={"epochs": 20, "lr": 1e-2, "patience": 0})
    outcome = train(made, data, tmp_path / "run", cache=cache, exporting=False)
    found = losses(tmp_path / "run")
    assert np.mean(found[-3:]) < 0.7 * np.mean(found[:3])
    assert outcome.test["text→image/rr"] > 0.4  # of 12 pictures that it has not seen: .26 by chance


@pytest.mark.slow
def test_two_devices_are_as_one(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Every row of a batch meets every other, wherever it is; mined rows and remembered ones too."""
    still = {"use": "mlp", "hidden": 16, "dropout": 0.0}
    for devices in (1, 2):
        made = recipe(heads=still, fit={"devices": devices, "memory": 20, "hard_negatives": 2, "epochs": 4})
        train(made, data, tmp_path / str(devices), cache=cache, exporting=False)
    one, two = history.read(tmp_path / "1"), history.read(tmp_path / "2")
    assert [row["step"] for row in one] == [row["step"] for row in two]
    np.testing.assert_allclose(losses(tmp_path / "1"), losses(tmp_path / "2"), atol=1e-5)
    for a, b in zip(one, two, strict=True):
        assert a.get("check", {}) == pytest.approx(b.get("check", {}), abs=1e-4)


def test_tensorboard_has_the_curve(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(recipe(), data, tmp_path / "run", cache=cache, exporting=False, track=["tensorboard"])
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    found = {event.step: event.value for event in events.Scalars("loss")}
    written = {row["step"]: row["loss"] for row in history.read(tmp_path / "run") if "loss" in row}
    assert found == pytest.approx(written)
    checks = [event.value for event in events.Scalars("val/text→image/rr")]
    assert checks == pytest.approx(
        [row["check"]["text→image/rr"] for row in history.read(tmp_path / "run") if "check" in row]
    )


@pytest.mark.slow
def test_wandb_writes_a_folder_a_run_without_a_network(
    data: list[Sample], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("a", "b"):
        train(recipe(), data, tmp_path / name, cache=cache, exporting=False, track=["wandb"])
        (folder,) = (tmp_path / name / "wandb").glob("offline-run-*")
        (file,) = folder.glob("*.wandb")
        assert file.stat().st_size > 1000


def test_an_unknown_tracker(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no tracker 'board'; there are: tensorboard, wandb"):
        train(recipe(), data, tmp_path / "run", cache=cache, track=["board"])


def test_a_monitor_that_cannot_be(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'accuracy' cannot be measured on the 12 validation rows"):
        train(recipe(fit={"monitor": "accuracy"}), data, tmp_path / "run", cache=cache)


def test_an_accelerator_that_is_not_there(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fit\.accelerator is 'gpuu', with 1 devices .* this machine cannot do that"):
        train(recipe(fit={"accelerator": "gpuu"}), data, tmp_path / "run", cache=cache)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here, which can do it")
def test_a_precision_that_would_be_another(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    message = (
        r"fit\.precision is '16-mixed', and on this machine it would be 'bf16-mixed' .* Set fit\.precision = \"bf16"
    )
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        pytest.raises(ConfigError, match=message),
    ):
        train(recipe(fit={"precision": "16-mixed"}), data, tmp_path / "run", cache=cache)


def test_training_that_comes_apart(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Steps so large that a parameter overflows: it is said, at which step, and what was best before stays."""
    wild = recipe(
        heads={"use": "linear"}, fit={"optimizer": "sgd", "lr": 1e30, "clip": 0.0, "warmup": 1.0, "epochs": 4}
    )
    with pytest.raises(Diverged, match=r"training came apart at step \d+: .* smaller fit\.lr \(it is 1e\+30\)"):
        train(wild, data, tmp_path / "run", cache=cache, exporting=False)
    assert all(math.isfinite(loss) for loss in losses(tmp_path / "run"))
