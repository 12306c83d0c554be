"""Features that were computed elsewhere, as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError, ShapeError, UnsupportedMedia
from duretrieval.similarity import unit
from duretrieval.types import MEDIA, Array, Modality, Part
from duretrieval.vectors import Given, rows_of


class Features:
    """Parts that come as a vector (dim,) or as several in a sequence (t, dim), such as YouTube-8M's films.

    A row is the unit mean of its vectors.  name, origin: what they are and what made them, as `vectors.Given` says.

    Raises:
        ConfigError: dim is below 1, or what is encoded is none of the media.
    """

    def __init__(self, dim: int, modalities: Iterable[str] = ("video",), *, name: str = "", origin: str = "") -> None:
        if dim < 1 or not (wanted := list(modalities)) or not set(wanted) <= set(MEDIA):
            raise ConfigError(
                f"features have dim {dim} and are of {list(modalities)}; give 1 number or more, of {', '.join(MEDIA)}"
            )
        self.modalities = frozenset(map(Modality, wanted))
        self.takes = Given(dim, name, origin)

    @property
    def dim(self) -> int:
        """Numbers in a vector, which are as many in a row."""
        return self.takes.dim

    @classmethod
    def load(
        cls, folder: str | Path, *, dim: int, modalities: Iterable[str], name: str = "", origin: str = ""
    ) -> Features:
        """The encoder of a model folder, which holds no file of it."""
        return cls(dim, modalities, name=name, origin=origin)

    def save(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """What `load` takes; it writes no file."""
        said = {"name": self.takes.name, "origin": self.takes.origin}
        return {"dim": self.dim, "modalities": sorted(m.value for m in self.modalities), **said}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """(len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part's content is no vector of `dim` finite numbers and no sequence of such, or its mean is 0.
        """
        rows = np.zeros((len(batch), self.dim), dtype=np.float32)
        for row, part in zip(rows, batch, strict=True):
            row[:] = self._mean(part)
        return unit(rows)

    def _mean(self, part: Part) -> Array:
        content, wanted = part.content, f"expected a vector of {self.takes} for a part of {part.modality.value}"
        if not isinstance(content, np.ndarray):
            raise ShapeError(f"{wanted}; got {type(content).__name__}. This model reads no media there")
        if content.ndim in (1, 2) and content.size and content.shape[-1] != self.dim:
            raise ShapeError(f"{wanted}; got {content.shape[-1]:,} numbers")
        try:
            mean: Array = rows_of(content).mean(axis=0, dtype=np.float64)
        except UnsupportedMedia as error:
            raise ShapeError(f"{wanted}; {error}") from error
        if not mean.any():
            raise ShapeError(f"{wanted}; all numbers of its mean are 0, which is no direction; leave the vector out")
        return mean
