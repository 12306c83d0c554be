"""A run: its folder, its outcome, resuming it and exporting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.runs.averaged import export_averaged as export_averaged
    from duretrieval.training.runs.evaluated import evaluate_run as evaluate_run
    from duretrieval.training.runs.folder import Outcome as Outcome
    from duretrieval.training.runs.reopened import export_run as export_run
    from duretrieval.training.runs.run import Run as Run
    from duretrieval.training.runs.trained import train as train
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "averaged": "export_averaged",
            "evaluated": "evaluate_run",
            "folder": "Outcome",
            "reopened": "export_run",
            "run": "Run",
            "trained": "train",
        },
    )
