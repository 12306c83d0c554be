"""A run that kills itself: `python -m tests.training.killed MEDIA RUN CACHE STEP ACCELERATOR DROPOUT`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from tests.training.small import recipe, samples

from duretrieval.training.recipe.recipe import Recipe
from duretrieval.training.runs.trained import train


def everything(dropout: float = 0.2, **fit: Any) -> Recipe:
    """Dropout, memory, mined negatives and early stopping, with checks that are no whole passes."""
    known = {"epochs": 4, "check_steps": 2, "memory": 24, "hard_negatives": 2, "patience": 3, "lr": 1e-2}
    return recipe(heads={"use": "mlp", "hidden": 16, "dropout": dropout}, fit={**known, **fit})


class KillAt(pl.Callback):
    """SIGKILL after a step: no handler runs, nothing is tidied up."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    media, run, cache = map(Path, sys.argv[1:4])
    torch.set_num_threads(1)
    made = everything(float(sys.argv[6]), accelerator=sys.argv[5])
    train(made, samples(media), run, cache=cache, callbacks=[KillAt(int(sys.argv[4]))])
