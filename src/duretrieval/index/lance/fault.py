"""What is wrong with a store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, as a sentence about `subject`: an item's id, or the path of a file within the store."""

    subject: str
    problem: str
