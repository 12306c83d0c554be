"""Sounds to vectors, with whatever front end a graph has inside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duretrieval.encode.batching import mean_per_part, one_by_one
from duretrieval.encode.cutting import Cutting, heard
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part


class OnnxSound:
    """A sound encoder: a graph from `samples` (b, n) float32, mono at `sample_rate`, to rows (b, dim) float32.

    cutting: which n the graph takes. The rows of a sound's pieces are averaged and made unit. Spectra, where the graph
    needs any, are its own business (`training.nets.audio`), so one encoder serves every model of sounds.
    """

    modalities = frozenset({Modality.AUDIO})

    def __init__(self, graph: Session, *, dim: int, sample_rate: int = 16_000, cutting: Cutting | None = None) -> None:
        self.dim = dim
        self.sample_rate = sample_rate
        self.cutting = cutting or Cutting()
        self._graph = graph

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str = "sound.onnx",
        sample_rate: int = 16_000,
        shortest: int = 1,
        fill: Literal["silence", "repeat"] = "silence",
        longest: int | None = None,
        long: Literal["mean", "cut"] = "mean",
        hop: int | None = None,
        threads: int | None = None,
    ) -> OnnxSound:
        """The encoder in a model folder; its graph is read on first use.  shortest to hop: see `Cutting`.

        Raises:
            ConfigError: the cutting cannot be used.
        """
        cutting = Cutting(shortest=shortest, fill=fill, longest=longest, long=long, hop=hop)
        return cls(Session(Path(folder) / file, threads), dim=dim, sample_rate=sample_rate, cutting=cutting)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return {"file": self._graph.save(folder, name), **options(self.dim, self.sample_rate, self.cutting)}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of sounds: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part is not mono float32 samples, or has none.
            ModelError: the graph cannot be read.
        """
        return unit(mean_per_part(*self._rows(batch)))

    sequential = True

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """Of each sound its pieces in order, (t, dim) float32; one that the graph hears at once has one.

        Raises:
            ShapeError, ModelError: as `encode`.
        """
        rows, counts = self._rows(batch)
        return np.split(rows, np.cumsum(counts)[:-1]) if counts else []

    def _rows(self, batch: Sequence[Part]) -> tuple[Array, list[int]]:
        """What the graph makes of every piece, and how many each part has."""
        counts: list[int] = []
        return one_by_one(self._pieces(batch, counts), self._graph, "samples", self.dim), counts

    def _pieces(self, batch: Sequence[Part], counts: list[int]) -> Iterator[Array]:
        """The parts' pieces, one after another; how many each has is added to `counts`."""
        for part in batch:
            pieces = self.cutting(heard(part, self.sample_rate))
            counts.append(len(pieces))
            yield from pieces


def options(dim: int, sample_rate: int, cutting: Cutting) -> dict[str, Any]:
    """What `OnnxSound.load` takes besides the file, without what TOML cannot say: None."""
    settings = {"dim": dim, "sample_rate": sample_rate, **asdict(cutting)}
    return {key: value for key, value in settings.items() if value is not None}
