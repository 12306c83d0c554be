"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What training came to."""

    folder: Path
    model: Path
    """The model folder of the best check."""
    best_epoch: int
    """From 0; an epoch is the steps between two checks."""
    epochs: int
    """How many were run."""
    val: dict[str, float]
    test: dict[str, float]
    """Empty where the data has no test rows."""
    queries: dict[str, dict[str, int]]
    """val, test -> direction -> rows that ask in it"""
    seconds: float
    problems: int
