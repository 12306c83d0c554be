"""Early fusion: the vectors of an item's modalities to one, by a trained network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import MEDIA, Array, Modality


class OnnxFusion:
    """A graph, rows (n, m, d) float32 and present (n, m) float32 (1 where there, else 0) -> (n, dim) float32.

    modalities: what the m rows of an item are, in the graph's order.  width: d; None is `dim`.
    """

    def __init__(self, graph: Session, *, dim: int, modalities: Sequence[Modality], width: int | None = None) -> None:
        self.dim = dim
        self.width = dim if width is None else width
        self.modalities = tuple(modalities)
        self._graph = graph

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        file: str,
        dim: int,
        modalities: Sequence[str],
        width: int | None = None,
        threads: int | None = None,
    ) -> OnnxFusion:
        """The fusion in a model folder; its graph is read on first use.

        Raises:
            ModelError: a modality that there is not.
        """
        inputs = named(Path(folder) / file, modalities)
        return cls(Session(Path(folder) / file, threads), dim=dim, modalities=inputs, width=width)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.onnx; returns the options that `load` needs to find it."""
        modalities = [modality.value for modality in self.modalities]
        return {"file": self._graph.save(folder, name), "dim": self.dim, "width": self.width, "modalities": modalities}

    def __call__(self, vectors: Mapping[Modality, Array], /) -> Array:
        """modality -> (n, d) unit rows; (n, dim) float32 unit rows. A modality that is not in `vectors` is absent.

        Raises:
            ConfigError: a modality that the graph does not take.
            ShapeError: no modality at all, or rows that are not (n, width), as many for each.
            ModelError: the graph cannot be read.
        """
        rows, present = self.stacked(vectors)
        if not len(rows):
            return np.zeros((0, self.dim), dtype=np.float32)
        return unit(self._graph.run(rows=rows, present=present))

    def stacked(self, vectors: Mapping[Modality, Array]) -> tuple[Array, Array]:
        """What the graph takes: (n, m, width), zeros where a modality is absent, and (n, m), 1 where it is there.

        Raises:
            ConfigError, ShapeError: as `__call__`.
        """
        n = self._rows(vectors)
        rows = np.zeros((n, len(self.modalities), self.width), dtype=np.float32)
        present = np.zeros((n, len(self.modalities)), dtype=np.float32)
        for modality, given in vectors.items():
            at = self.modalities.index(modality)
            rows[:, at], present[:, at] = given, 1.0
        return rows, present

    def _check_names(self, vectors: Mapping[Modality, Array]) -> None:
        names = ", ".join(self.modalities)
        if unknown := sorted(set(vectors) - set(self.modalities)):
            raise ConfigError(f"this fusion takes {names}, not {', '.join(unknown)}; leave that out")
        if not vectors:
            raise ShapeError(f"there is nothing to fuse; give vectors of at least one of {names}")

    def _rows(self, vectors: Mapping[Modality, Array]) -> int:
        self._check_names(vectors)
        shapes = {modality: given.shape for modality, given in vectors.items()}
        n = next(iter(shapes.values()))[0]
        if set(shapes.values()) != {(n, self.width)}:
            shown = ", ".join(f"{modality} {shape}" for modality, shape in shapes.items())
            raise ShapeError(f"expected rows (n, {self.width}), as many for each modality; got {shown}")
        return int(n)


def named(path: Path, names: Sequence[str]) -> list[Modality]:
    """The modalities that a model's graph at `path` is said to take.

    Raises:
        ModelError: there is none of that name.
    """
    known = [m.value for m in MEDIA]
    if unknown := [name for name in names if name not in known]:
        raise ModelError(f"{path}: no modality {unknown[0]!r}; there are {', '.join(known)}")
    return [Modality(name) for name in names]
