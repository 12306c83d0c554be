"""Runs whose seeds differ, as one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.small import recipe

from duretrieval.errors import ConfigError
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.data.sample import Sample
from duretrieval.training.nets.averaged import Averaged
from duretrieval.training.nets.heads import Linear
from duretrieval.training.runs.averaged import export_averaged
from duretrieval.training.runs.trained import train

HEADS = {"text": {"use": "identity"}, "image": {"use": "mlp", "hidden": 16}}
FIT = {"epochs": 2, "lr": 1e-2}


@pytest.fixture(scope="module")
def runs(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        train(recipe(dim=384, heads=HEADS, seed=seed, fit=FIT), data, folder / str(seed), cache=cache)
    return [folder / str(seed) for seed in range(2)]


def test_a_mean_of_unit_rows() -> None:
    heads = [Linear(4, 3) for _ in range(3)]
    rows = torch.randn(5, 4)
    expected = torch.stack([torch.nn.functional.normalize(head(rows), dim=1) for head in heads]).mean(dim=0)
    torch.testing.assert_close(Averaged(heads)(rows), expected)
    with pytest.raises(ConfigError, match=r"heads of 2 shapes cannot be averaged: \[\(4, 2\), \(4, 3\)\]"):
        Averaged([Linear(4, 3), Linear(4, 2)])


def test_its_rows_are_the_means_of_theirs(runs: list[Path], data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Of what learned; what did not is as it was.  The mean agrees with each more than they agree with one another."""
    model = export_averaged(runs, tmp_path / "model", data=data, cache=cache)
    alone = [Model.load(run / "model") for run in runs]

    pictures = [
        decode(sample.columns["image"].content, model.reading, Limits()).parts[0]  # type: ignore[arg-type]
        for sample in data[:20]
        if "image" in sample.columns
    ]
    each = [one.encode(pictures) for one in alone]
    assert not np.allclose(each[0], each[1], atol=0.05)
    np.testing.assert_allclose(model.encode(pictures), unit(np.mean(each, axis=0)), atol=1e-4)
    words = [sample.columns["text"] for sample in data[:5]]
    np.testing.assert_allclose(model.encode(words), alone[0].encode(words), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fit": {"epochs": 1}}, "are runs of different recipes; only the seed, and the name, may differ"),
        ({"seed": 0}, "are the same; vary the seed"),
    ],
)
def test_runs_that_are_not_alike(
    changes: dict[str, Any], message: str, runs: list[Path], data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    made = recipe(**{"dim": 384, "heads": HEADS, "seed": 5, **changes, "fit": {**FIT, **changes.get("fit", {})}})
    train(made, data, tmp_path / "other", cache=cache, exporting=False)
    with pytest.raises(ConfigError, match=message):
        export_averaged([runs[0], tmp_path / "other"], tmp_path / "model", data=data, cache=cache)
    assert not (tmp_path / "model").exists()


def test_spaces_that_nothing_holds_together(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    for seed in range(2):
        train(recipe(seed=seed, fit={"epochs": 1}), data, tmp_path / str(seed), cache=cache, exporting=False)
    with pytest.raises(ConfigError, match=r"every head of these runs \(image, text\) learned by itself"):
        export_averaged([tmp_path / "0", tmp_path / "1"], tmp_path / "model", data=data, cache=cache)


def test_one_run_alone(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one run alone has nothing to be averaged with"):
        export_averaged([runs[0], runs[0]], tmp_path / "model")
