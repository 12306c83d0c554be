"""A space moved so that its mean is the origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.arrays import read, write
from duretrieval.errors import ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


class Centre:
    """Subtracts a mean and makes the rows unit: x -> (x - mean) / |x - mean|.

    Sentence encoders put all texts in a narrow cone, whose axis says nothing and makes everything similar; without
    it cosines spread around 0 (Mu & Viswanath 2018, "All-but-the-top", ICLR, section 2; unlike them we keep every
    direction).  mean: (d,) float32.
    """

    def __init__(self, mean: Array) -> None:
        self.mean = mean
        self.dim = len(mean)

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d) -> (n, d) unit rows; the modality does not matter.

        Raises:
            ShapeError: the rows have another length than the mean.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise ShapeError(f"expected vectors of shape (n, {self.dim}) to centre; got {vectors.shape}")
        return unit(vectors - self.mean)

    @classmethod
    def load(cls, folder: str | Path, *, file: str) -> Centre:
        """The aligner that `save` wrote. Raises ModelError where the file is not such an aligner."""
        return cls(read(Path(folder) / file, "mean").astype(np.float32))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors; returns the options that `load` needs to find it."""
        return {"file": write(folder, name, mean=self.mean)}
