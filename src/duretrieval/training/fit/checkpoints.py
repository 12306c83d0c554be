"""Checkpoints that a kill cannot damage, and that a run finds again wherever its folder has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from duretrieval.errors import ConfigError
from duretrieval.model.seal import whole_file


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint beside the old one and then puts it in its place.

    Lightning's own goes through the folder for temporary files, which may lie on another disk: moving it from there is
    copying, and a kill in the middle leaves half a checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write it whole or not at all.

        Raises:
            ConfigError: it cannot be written; the one before is still there.
        """
        place = Path(path)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(place) as part:
                torch.save(checkpoint, part)
        except (OSError, RuntimeError) as error:  # torch's own writer raises the latter where the disk is full
            raise ConfigError(
                f"{place} cannot be written: {str(error).splitlines()[0]}. Make room, and go on with the run (--resume)"
            ) from error


class BestAndLast(ModelCheckpoint):
    """`best.ckpt` by the monitor and `last.ckpt`, each written after every check."""

    def __init__(self, folder: str | Path) -> None:
        super().__init__(
            folder,
            "best",
            monitor="monitor",
            mode="max",
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """After every check: Lightning alone writes the last one only where it was the best."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._last_global_step_saved != trainer.global_step:
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What was best; a run folder that was moved or renamed since has it too."""
        old, new = state_dict.get("dirpath"), self.dirpath
        if old is None or new is None or old == new:
            super().load_state_dict(state_dict)
            return

        def moved(path: str) -> str:
            return str(Path(new) / Path(path).name) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        found = {key: moved(value) if key in paths else value for key, value in state_dict.items()}
        found["best_k_models"] = {moved(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**found, "dirpath": new})


def stopped(checkpoint: Path, patience: int) -> bool:
    """Whether the run that wrote the checkpoint had already stopped early."""
    held: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=False)["callbacks"]
    waits = [state["wait_count"] for name, state in held.items() if name.startswith("EarlyStopping")]
    return bool(patience) and any(wait >= patience for wait in waits)


class AfterCheck(Checkpoint):
    """Calls `tell(epoch, monitor)` after each check; what it raises ends the training.

    A `Checkpoint` in name: Lightning calls those after the check of an epoch, and every other callback before it.
    """

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        self._tell = tell

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """After the check of an epoch."""
        value = trainer.callback_metrics.get("monitor")
        if value is not None:
            self._tell(int(trainer.current_epoch), float(value))
