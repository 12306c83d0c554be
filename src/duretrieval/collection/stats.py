"""What is in a collection, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Stats:
    """What is in a collection."""

    items: int
    parts: int
    kinds: dict[str, int]
    """kind -> items"""
    modalities: dict[str, int]
    """modality -> parts"""
    problems: int
    model: str
    fingerprint: str
    dim: int
    version: int

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)
