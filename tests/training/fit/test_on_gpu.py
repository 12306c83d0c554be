"""On a CUDA device: what comes out is what the processor gives, in full and in mixed precision, and a run may move."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.killed import everything
from tests.training.losses.test_loss_values import LOSSES, batch
from tests.training.losses.test_loss_values import NAMES as LOSS_NAMES
from tests.training.nets.fusion import fusion_families
from tests.training.nets.text.tiny import saved
from tests.training.small import recipe

from duretrieval.model.model import Model
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import run_state
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.run import LAST
from duretrieval.training.runs.trained import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="no CUDA device is here (see python -m benchmarks.on_gpu)"
    ),
]
ROOT = Path(__file__).parents[3]
STILL = {"use": "mlp", "hidden": 16, "dropout": 0.0}
NEAR = 1e-4


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in history.read(folder) if "loss" in row]


def checks(folder: Path) -> list[float]:
    return [row["check"]["monitor"] for row in history.read(folder) if "check" in row]


def on(made: Recipe, accelerator: str, **fit: Any) -> Recipe:
    return replace(made, fit=replace(made.fit, accelerator=accelerator, **fit))


# ---- what is computed


@pytest.mark.parametrize(("loss", "slow"), LOSSES, ids=LOSS_NAMES)
def test_losses_and_their_gradients(loss: Any, slow: Any) -> None:
    found = []
    for device in ("cpu", "cuda"):
        scores, same = batch(5, 12, 0)
        given = scores.float().to(device).requires_grad_()
        there = copy.deepcopy(loss).to(device) if isinstance(loss, torch.nn.Module) else loss
        value = there(given, same.to(device))
        value.backward()
        assert given.grad is not None
        found.append((value.item(), given.grad.cpu()))
    assert found[0][0] == pytest.approx(found[1][0], rel=NEAR)
    torch.testing.assert_close(found[0][1], found[1][1], atol=NEAR, rtol=NEAR)


@pytest.mark.parametrize(("name", "options"), fusion_families.ALL, ids=fusion_families.NAMES)
def test_fusions(name: str, options: dict[str, Any]) -> None:
    fusion = fusion_families.trained(name, options)
    rows, there = fusion_families.rows(), fusion_families.presence()
    expected = fusion(rows, there)
    found = fusion.cuda()({m: row.cuda() for m, row in rows.items()}, {m: mask.cuda() for m, mask in there.items()})
    torch.testing.assert_close(found.cpu(), expected, atol=NEAR, rtol=NEAR)


# ---- runs


@pytest.fixture(scope="module")
def quiet() -> Recipe:
    """Memory and mined rows; nothing is dropped by chance, which the two draw differently."""
    return recipe(heads=STILL, fit={"epochs": 4, "memory": 24, "hard_negatives": 2, "patience": 0, "lr": 1e-2})


@pytest.fixture(scope="module")
def by_cpu(quiet: Recipe, data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cpu") / "run"
    train(quiet, data, folder, cache=cache, exporting=False)
    return folder


def test_a_run_is_that_of_the_processor(
    quiet: Recipe, by_cpu: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    train(on(quiet, "gpu"), data, tmp_path / "run", cache=cache, exporting=False)
    np.testing.assert_allclose(losses(tmp_path / "run"), losses(by_cpu), rtol=1e-3)
    np.testing.assert_allclose(checks(tmp_path / "run"), checks(by_cpu), atol=0.02)


def test_bfloat16_goes_the_same_way(
    quiet: Recipe, by_cpu: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    train(on(quiet, "gpu", precision="bf16-mixed"), data, tmp_path / "run", cache=cache, exporting=False)
    assert losses(tmp_path / "run") != losses(by_cpu)
    np.testing.assert_allclose(losses(tmp_path / "run"), losses(by_cpu), rtol=0.03)


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed"])
def test_mixed_precision_learns(precision: str, data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Its weights stay whole; the scale of 16-bit gradients, for which the first steps look, is in the checkpoint."""
    made = recipe(fit={"epochs": 20, "lr": 1e-2, "patience": 0, "accelerator": "gpu", "precision": precision})
    train(made, data, tmp_path / "run", cache=cache, exporting=False)
    found = losses(tmp_path / "run")
    assert np.mean(found[-3:]) < 0.7 * np.mean(found[:3])
    held = run_state(tmp_path / "run" / LAST)
    assert {tensor.dtype for tensor in held["state_dict"].values() if tensor.is_floating_point()} == {torch.float32}
    assert (held.get("MixedPrecision", {}).get("scale", 0) > 1) == (precision == "16-mixed")


def killed(media: Path, run: Path, cache: Path, accelerator: str, dropout: float) -> None:
    """A run of `everything` that dies in the middle of an epoch."""
    where = [str(media), str(run), str(cache), "5", accelerator, str(dropout)]
    command = [sys.executable, "-m", "tests.training.killed", *where]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), *sys.path])}
    died = subprocess.run(command, cwd=ROOT, env=env, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]


@pytest.mark.parametrize(("first", "then"), [("gpu", "gpu"), ("gpu", "cpu"), ("cpu", "gpu")])
def test_a_run_goes_on_wherever_it_was(
    first: str, then: str, media: Path, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    """Killed in the middle of an epoch, to the result that it would have had."""
    dropout = 0.2 if first == then else 0.0  # what is dropped by chance is another on another device
    made, whole, half = everything(dropout, accelerator=then), tmp_path / "whole", tmp_path / "half"
    train(made, data, whole, cache=cache, exporting=False)
    killed(media, half, cache, first, dropout)
    train(made, data, half, resume=True, cache=cache, exporting=False)
    assert [row["step"] for row in history.read(half)] == [row["step"] for row in history.read(whole)]
    np.testing.assert_allclose(losses(half), losses(whole), rtol=1e-3)
    np.testing.assert_allclose(checks(half), checks(whole), atol=0.02)


def test_encoders_that_learn_there_search_here(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """A transformer and a convolutional net, trained in mixed precision, give the engine what they gave torch."""
    config = {"model_type": "convnext", "depths": [1, 1, 1, 1], "hidden_sizes": [4, 8, 8, 16], "image_size": 32}
    encoders = {
        "text": {"use": "transformer", "model": saved("bert", tmp_path), "train": ["*"], "lr": 1e-3},
        "image": {"use": "vision", "config": config, "side": 32, "train": ["*"], "lr": 1e-3},
    }
    fit = {"accelerator": "gpu", "precision": "bf16-mixed", "epochs": 2}
    outcome = train(recipe(encoders=encoders, fit=fit), data, tmp_path / "run", cache=cache)  # compares, or raises
    model = Model.load(outcome.model)
    rows = model.encode([sample.columns["text"] for sample in data])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one CUDA device is here, and this is about two")
def test_two_devices_are_as_one(quiet: Recipe, by_cpu: Path, data: list[Sample], cache: Path, tmp_path: Path) -> None:
    train(on(quiet, "gpu", devices=2), data, tmp_path / "run", cache=cache, exporting=False)
    np.testing.assert_allclose(losses(tmp_path / "run"), losses(by_cpu), rtol=1e-3)
