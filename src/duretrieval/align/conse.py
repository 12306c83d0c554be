"""From a classifier's classes to the space of their names, without a single pair to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.arrays import read, write
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


class Conse:
    """A convex combination of class vectors, weighted by how probable the classes are.

    f(x) = 1/Z sum_{t=1..T} p(y_t | x) s(y_t), the T most probable classes y_1 ... y_T
    (Norouzi et al. 2014, "Zero-shot learning by convex combination of semantic embeddings", ICLR, eq. 2).

    Unlike the paper, p is first flattened to p^(1/temperature), and f is made unit.  It works with any classifier
    and any space that its class names can be embedded in.

    class_vectors: (c, d) float32, s(y) for each class.  top: T.  temperature: 1 keeps p; more gives the less
    probable classes more say.

    Raises:
        ConfigError: top or temperature cannot be used.
        ShapeError: class_vectors is not a matrix.
    """

    def __init__(self, class_vectors: Array, *, top: int = 10, temperature: float = 1.0) -> None:
        if class_vectors.ndim != 2:
            raise ShapeError(f"expected class vectors of shape (c, d); got {class_vectors.shape}")
        if not 1 <= top <= len(class_vectors):
            raise ConfigError(f"top is {top}; with {len(class_vectors)} classes it must be 1 to {len(class_vectors)}")
        if not temperature > 0:
            raise ConfigError(f"temperature is {temperature:g}; it must be above 0")
        self.class_vectors = class_vectors
        self.top = top
        self.temperature = temperature
        self.dim = class_vectors.shape[1]

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """Square roots of class probabilities (n, c) -> (n, d) unit rows; the modality does not matter.

        Raises:
            ShapeError: there are not as many columns as classes.
        """
        classes = len(self.class_vectors)
        if vectors.ndim != 2 or vectors.shape[1] != classes:
            raise ShapeError(
                f"expected square roots of the probabilities of {classes} classes, (n, {classes}); got {vectors.shape}"
            )
        likely = np.argpartition(-vectors, self.top - 1, axis=1)[:, : self.top]
        p = np.zeros_like(vectors)
        # (sqrt p)^(2/T) = p^(1/T)
        flattened = np.abs(np.take_along_axis(vectors, likely, axis=1)) ** np.float32(2 / self.temperature)
        np.put_along_axis(p, likely, flattened, axis=1)
        return unit(p @ self.class_vectors)

    @classmethod
    def load(cls, folder: str | Path, *, file: str, top: int, temperature: float) -> Conse:
        """The aligner that `save` wrote. Raises ModelError where the file is not such an aligner."""
        return cls(read(Path(folder) / file, "class_vectors").astype(np.float32), top=top, temperature=temperature)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors, in half precision where that loses nothing; returns the options `load` needs."""
        with np.errstate(over="ignore"):
            half = self.class_vectors.astype(np.float16)
        file = write(
            folder, name, class_vectors=half if np.array_equal(half, self.class_vectors) else self.class_vectors
        )
        return {"file": file, "top": self.top, "temperature": self.temperature}
