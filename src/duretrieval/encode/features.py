"""Features that were computed elsewhere, as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part


class Features:
    """Films and sounds that come as features (t, dim), such as YouTube-8M's: their mean over time, made unit."""

    def __init__(self, dim: int, modalities: Iterable[str] = ("video",)) -> None:
        self.dim = dim
        self.modalities = frozenset(map(Modality, modalities))

    @classmethod
    def load(cls, folder: str | Path, *, dim: int, modalities: Iterable[str]) -> Features:
        """The encoder of a model folder, which holds no file of it."""
        return cls(dim, modalities)

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Its entry in model.toml; it writes no file."""
        options = {"dim": self.dim, "modalities": sorted(m.value for m in self.modalities)}
        return {"use": "features", "options": options}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """(len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part's content is no array (t, dim) with t of at least 1.
        """
        rows = np.zeros((len(batch), self.dim), dtype=np.float32)
        for row, part in zip(rows, batch, strict=True):
            content = part.content
            if not isinstance(content, np.ndarray) or not _numbers(content) or content.shape[1:] != (self.dim,):
                got = f"{content.shape} {content.dtype}" if isinstance(content, np.ndarray) else type(content).__name__
                raise ShapeError(f"expected features of shape (t, {self.dim}), t at least 1; got {got}")
            row[:] = content.mean(axis=0, dtype=np.float64)
        return unit(rows)


def _numbers(content: np.ndarray[Any, Any]) -> bool:
    """Whether there is anything in an array, and it is numbers."""
    return bool(content.size) and content.dtype.kind in "biuf"
