"""Shorter vectors: the leading components, where a model was taught that these mean something alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


@dataclass(frozen=True, slots=True)
class Cut:
    """Keeps the first `dim` components and makes the rows unit (Kusupati et al. 2022, "Matryoshka representation
    learning", section 3).

    Raises:
        ConfigError: dim is below 1.
    """

    dim: int

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ConfigError(f"dim is {self.dim}; a vector has 1 dimension or more")

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d) -> (n, dim) unit rows; the modality does not matter.

        Raises:
            ShapeError: the rows are shorter.
        """
        if vectors.ndim != 2 or vectors.shape[1] < self.dim:
            raise ShapeError(f"expected vectors (n, {self.dim}) or longer to cut; got {vectors.shape}")
        return unit(vectors[:, : self.dim])

    @classmethod
    def load(cls, folder: str | Path, *, dim: int) -> Self:
        """The aligner that `save` wrote; it has no file."""
        return cls(dim)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """The options that `load` needs; nothing is written."""
        return {"dim": self.dim}
