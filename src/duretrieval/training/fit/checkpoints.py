"""Checkpoints that a kill cannot damage, that hold data and no code, and that a run finds wherever its folder has gone.

A checkpoint is tensors, numbers, strings, and lists and dicts of them, in torch's own file; it is read by torch's
reader for such (`weights_only`), which makes nothing else, whatever the file asks for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from duretrieval import whole
from duretrieval.errors import ConfigError


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint beside the old one and then puts it in its place.

    Lightning's own goes through the folder for temporary files, which may lie on another disk: moving it from there is
    copying, and a kill in the middle leaves half a checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write it whole or not at all.

        Raises:
            ConfigError: it cannot be written, or holds more than data; the one before is still there.
        """
        place = Path(path)
        _require_data(checkpoint, "")
        try:
            with whole.file(place) as part:
                torch.save(checkpoint, part)
        except (OSError, RuntimeError) as error:  # torch's own writer raises the latter where the disk is full
            raise ConfigError(
                f"{place} cannot be written: {str(error).splitlines()[0]}. Make room, and go on with the run (--resume)"
            ) from error

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """As `read_checkpoint`, wherever Lightning wants the tensors."""
        return read_checkpoint(Path(path), map_location)


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """What a checkpoint holds; a file that is to run code when it is read is refused, and runs none.

    Raises:
        ConfigError: it is damaged, or holds more than data.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of formats that torch may not read: said below
            held: dict[str, Any] = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # of a damaged file torch's reader raises nearly anything
        raise ConfigError(
            f"{path} is no checkpoint that can be read as data alone: it is damaged, or of a version that pickled "
            "objects, which could run anything. Train again; or, if it is your own, go on with it by the version that "
            "wrote it"
        ) from error
    return held


def run_state(path: Path) -> dict[str, Any]:
    """What the checkpoint of a run holds.

    Raises:
        ConfigError: as `read_checkpoint`, or it is that of no run.
    """
    held = read_checkpoint(path)
    if missing := [key for key in _RUN if not isinstance(held, dict) or key not in held]:
        raise ConfigError(f"{path} is the state of no run: it has no {missing[0]!r}. Give the folder of another run")
    return held


_RUN = ("state_dict", "callbacks", "epoch", "global_step", "mined", "memory")
_DATA = (bool, int, float, str, type(None))


def _require_data(value: Any, where: str) -> None:
    """What would else be found out when it is too late."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            _require_data(held, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple):
        for place, held in enumerate(value):
            _require_data(held, f"{where}[{place}]")
    elif not isinstance(value, torch.Tensor) and type(value) not in _DATA:  # a StrEnum would be an object
        raise ConfigError(
            f"the state of this training cannot be kept as data: {where} is a {type(value).__name__}. A part or a "
            "callback that keeps it has to keep tensors, numbers, strings, and lists or dicts of them"
        )


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
    held: dict[str, Any] = run_state(checkpoint)["callbacks"]
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
