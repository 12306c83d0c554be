"""Where a run is watched: TensorBoard, Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError, MissingExtra
from duretrieval.training.recipe.recipe import Recipe

TRACKERS = ("tensorboard", "wandb")


def loggers(names: Iterable[str], folder: Path, recipe: Recipe) -> list[Any]:
    """Lightning's loggers by name, writing into the run's folder.

    Weights & Biases stays offline unless WANDB_MODE says otherwise; `wandb sync` sends a run later.

    Raises:
        ConfigError: there is no such tracker.
        MissingExtra: it is not installed.
    """
    made: list[Any] = []
    for name in names:
        if name not in TRACKERS:
            raise ConfigError(f"there is no tracker {name!r}; there are: {', '.join(TRACKERS)}")
        try:
            made.append(_tensorboard(folder) if name == "tensorboard" else _wandb(folder, recipe))
        except ModuleNotFoundError as error:
            extra = "train" if name == "tensorboard" else "wandb"
            raise MissingExtra(f"{name} is not installed: pip install 'duretrieval[{extra}]'") from error
    return made


def close(watchers: Iterable[Any]) -> None:
    """A run of Weights & Biases ends with the training, so that the next one in this process is another."""
    for watcher in watchers:
        if hasattr(watcher.experiment, "finish"):
            watcher.experiment.finish()


def _tensorboard(folder: Path) -> Any:
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="", version="tensorboard")


def _wandb(folder: Path, recipe: Recipe) -> Any:
    from pytorch_lightning.loggers import WandbLogger

    offline = os.environ.get("WANDB_MODE", "offline") != "online"
    return WandbLogger(name=recipe.name, save_dir=folder, offline=offline, project="duretrieval", config=asdict(recipe))
