"""One side of a joint model, and the weights it shares with the other side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

ROWS = 32
"""Parts in one run of the model."""


class Tower(Protocol):
    """Reads parts of some modalities for a model of transformers; holds settings and no weights."""

    @property
    def dim(self) -> int:
        """Width of the shared space."""
        ...

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it reads."""
        ...

    @property
    def reading(self) -> Mapping[str, Any]:
        """Fields of `types.Reading` it needs."""
        ...

    def arrays(self, parts: Sequence[Part]) -> dict[str, npt.NDArray[Any]]:
        """What `rows` takes, each with len(parts) rows.

        Raises:
            ShapeError: a part's content is not what this tower reads.
        """
        ...

    @property
    def rows(self) -> Callable[..., Any]:
        """rows(model, **tensors): the tensor (b, dim) of the model, of what `arrays` gives; not necessarily unit."""
        ...


class Weights:
    """A model that is loaded when it is first wanted, once, for every tower."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._model: Any = None

    def __call__(self) -> Any:
        """The model, in evaluation mode."""
        with self._lock:
            if self._model is None:
                self._model = self._load().eval()
        return self._model


class TowerEncoder:
    """A tower as an engine encoder; runs in torch."""

    def __init__(self, tower: Tower, weights: Weights) -> None:
        self.dim = tower.dim
        self.modalities = tower.modalities
        self._tower = tower
        self._weights = weights

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of parts: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part's content is not what the model reads.
        """
        import torch

        out = np.zeros((len(batch), self.dim), dtype=np.float32)
        for start in range(0, len(batch), ROWS):
            arrays = self._tower.arrays(batch[start : start + ROWS])
            with torch.inference_mode():
                inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
                out[start : start + ROWS] = unit(self._tower.rows(self._weights(), **inputs).numpy())
        return out
