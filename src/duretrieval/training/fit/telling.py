"""Being told of every check while Lightning trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytorch_lightning.callbacks import Checkpoint


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
