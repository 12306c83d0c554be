"""What every way of evaluating gives: figures, and what a report needs to show examples."""

from __future__ import annotations

from dataclasses import dataclass

from duretrieval.evaluation.health.health import Health
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.result import Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Figures with their makings."""

    evaluation: Evaluation
    materials: tuple[Material, ...] = ()
    health: Health | None = None
    notes: tuple[str, ...] = ()
    """What a reader of the figures should know: rows that could not be used, judgements of what is not there."""
