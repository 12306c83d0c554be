"""One view of whole items, taught by labels: its checks say what each modality alone finds of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.small import recipe

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.fit.validation import check, views_of
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.run import Run, assemble, load
from duretrieval.training.runs.trained import train

NAME = "text+image"


def made(**fit: object) -> Recipe:
    return recipe(
        views=[["*"]],
        fusion={"use": "concatenation", "drop": 0.3},
        loss="cross-entropy",
        data={"near_duplicates": False, "positives": ["key", "text", "file", "label"]},
        fit={"epochs": 25, "lr": 1e-2, "patience": 0, "monitor": "rr", **fit},
    )


@pytest.fixture(scope="module")
def runs(data: list[Sample], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Untrained, and trained."""
    folder = tmp_path_factory.mktemp("runs")
    untrained = assemble(made(), (data, []), folder / "none", cache=cache)
    train(made(), data, folder / "run", cache=cache, exporting=False)
    trained = assemble(made(), (data, []), folder / "run", cache=cache)
    load(trained, folder / "run" / "best.ckpt")
    return untrained, trained


def test_each_modality_asks_for_the_whole_items(runs: tuple[Run, Run]) -> None:
    """By hand: the same label is right, an equal text asks once and an equal item is found once."""
    run = runs[1]
    figures = check(run.network, run.objective, run.prepared.rows["val"], "rr")
    rows, samples = run.prepared.rows["val"], run.prepared.samples["val"]
    every = views_of(run.network, rows, asking=True)
    assert set(every) == {NAME, "text", "image"}
    for column in ("text", "image"):
        there = [i for i, sample in enumerate(samples) if column in sample.columns]
        scores = (every[column].rows[there] @ every[NAME].rows.T).numpy()
        ranked = [np.argsort(-row, kind="stable") for row in scores]
        wanted = [
            1 / (1 + next(k for k, j in enumerate(order) if samples[j].label == samples[i].label))
            for i, order in zip(there, ranked, strict=True)
        ]
        assert figures[f"{column}→{NAME}/rr"] == pytest.approx(np.mean(wanted), abs=1e-4)
    assert figures["monitor"] == pytest.approx(
        np.mean([figures[f"{column}→{NAME}/rr"] for column in ("text", "image")])
    )
    assert figures["accuracy"] > 0.5  # of whole items alone, as before


def test_training_by_labels_raises_them(runs: tuple[Run, Run]) -> None:
    before, after = (check(run.network, run.objective, run.prepared.rows["val"], "ap") for run in runs)
    for column in ("text", "image"):
        assert after[f"{column}→{NAME}/ap"] > before[f"{column}→{NAME}/ap"] + 0.1, (column, before, after)


def test_a_query_alone_is_fused_as_the_engine_fuses_it(runs: tuple[Run, Run]) -> None:
    run = runs[1]
    rows = run.prepared.rows["val"]
    batch = rows.plain()[list(range(len(rows)))]
    with torch.inference_mode():
        run.network.eval()
        given = run.network(batch, asking=True)["image"]
        batch.present["text"] = torch.zeros_like(batch.present["text"])  # type: ignore[index]
        without = run.network(batch)[NAME]
    assert torch.equal(given.present, without.present)
    assert torch.allclose(given.rows[given.present], without.rows[given.present], atol=1e-6)


def test_views_of_their_own_are_compared_as_before(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    run = assemble(recipe(), (data, []), tmp_path, cache=cache)
    assert run.network.alone == {}
    assert run.network.directions == [("text", "image"), ("image", "text")]


def test_one_column_asks_for_nothing(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'rr' cannot be measured"):
        assemble(recipe(views=[["text"]], loss="cross-entropy"), (data, []), tmp_path, cache=cache)
