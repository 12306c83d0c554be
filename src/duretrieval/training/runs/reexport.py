"""A model folder from a run that is done, or as far as it has come."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.fit.validation import check
from duretrieval.training.runs.outcome import Outcome
from duretrieval.training.runs.run import load, queries, reopen, write_model


def export_run(
    run: Path,
    folder: Path,
    *,
    name: str | None = None,
    checkpoint: Literal["best", "last"] = "best",
    data: Path | None = None,
    cache: Path | None = None,
) -> Model:
    """Write the model of a run's checkpoint; a few rows are encoded by torch and by the engine, and must agree.

    name: how the model is called; None: as its recipe.  data: where the run's data is now, if it has moved.

    Raises:
        ConfigError: there is no run or no such checkpoint, its data is gone or has changed, or `folder` is in use.
        ModelError: the engine's vectors are not torch's.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} is in use; give a folder that is empty, or that does not exist")
    opened = reopen(run, data=data, cache=cache)
    epoch = 0
    if opened.recipe.align is None:  # what is fitted whole has no checkpoint
        epoch = int(load(opened, run / f"{checkpoint}.ckpt")["epoch"])
    rows, monitor = opened.prepared.rows, opened.recipe.fit.monitor
    figures = {
        split: check(opened.network, opened.objective, rows[split], monitor) if len(rows[split]) > 1 else {}
        for split in ("val", "test")
    }
    outcome = Outcome(
        folder=run,
        model=folder,
        best_epoch=epoch,
        epochs=epoch + 1,
        queries=queries(opened),
        seconds=0.0,
        problems=len(opened.problems),
        **figures,
    )
    write_model(opened, folder, outcome, name)
    return Model.load(folder)
