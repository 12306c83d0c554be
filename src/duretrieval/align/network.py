"""A learned head: whatever a network made of an encoder's vectors, as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality

ROWS = 1024
"""Rows in one run of the graph."""


class OnnxAligner:
    """A graph `vectors` (n, d_in) float32 -> (n, dim) float32, whose rows are then made unit.

    graphs: one for all modalities, or one for each that it carries.

    Raises:
        ConfigError: there is no graph.
    """

    def __init__(self, graphs: Session | Mapping[Modality, Session], *, dim: int) -> None:
        if isinstance(graphs, Mapping) and not graphs:
            raise ConfigError("this aligner has no graph; give one, or one for each modality")
        self.dim = dim
        self._graphs = graphs

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d_in) -> (n, dim) unit rows.

        Raises:
            ConfigError: it has no graph for that modality.
            ShapeError: the rows have another length than those the graph takes.
            ModelError: the graph cannot be read.
        """
        graph = self._graph(modality)
        d_in = graph.width("vectors")
        if vectors.ndim != 2 or d_in not in (None, vectors.shape[1]):
            raise ShapeError(
                f"this head was trained on vectors of length {d_in} and takes (n, {d_in}); got {vectors.shape}. "
                "Give it the vectors of the encoder it was trained with"
            )
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        runs = ({"vectors": rows[start : start + ROWS]} for start in range(0, len(rows), ROWS))
        return unit(np.concatenate([np.zeros((0, self.dim), np.float32), *graph.run_each(runs)]))

    def _graph(self, modality: Modality) -> Session:
        if isinstance(self._graphs, Session):
            return self._graphs
        if modality not in self._graphs:
            raise ConfigError(
                f"this aligner has a head for {', '.join(sorted(self._graphs))}, none for {modality}; "
                "train one, or leave the modality out of its entry in model.toml"
            )
        return self._graphs[modality]

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str | None = None,
        files: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> OnnxAligner:
        """The aligner in a model folder; its graphs are read on first use.

        file: one graph for all modalities.  files: or modality -> graph.

        Raises:
            ConfigError: not one of both is given, or a modality does not exist.
        """
        if (file is None) == (files is None):
            raise ConfigError("a learned head needs either `file`, one graph, or `files`, one graph a modality")
        if file is not None:
            return cls(Session(Path(folder) / file, threads), dim=dim)
        graphs = {_modality(name): Session(Path(folder) / graph, threads) for name, graph in (files or {}).items()}
        return cls(graphs, dim=dim)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy its graphs to files that begin with `name`; returns the options that `load` needs to find them."""
        if isinstance(self._graphs, Session):
            return {"dim": self.dim, "file": self._graphs.save(folder, name)}
        files = {m.value: self._graphs[m].save(folder, f"{name}-{m.value}") for m in sorted(self._graphs)}
        return {"dim": self.dim, "files": files}


def _modality(name: str) -> Modality:
    if name not in [modality.value for modality in Modality]:
        raise ConfigError(f"no modality is called {name!r}; there are {', '.join(Modality)}")
    return Modality(name)
