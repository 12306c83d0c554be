"""Sounds to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duretrieval.encode.batching import mean_per_part, one_by_one
from duretrieval.encode.classes import hellinger
from duretrieval.encode.cutting import heard
from duretrieval.encode.mel import RATE, patches
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part


class OnnxAudio:
    """A sound encoder: a graph of log-mel patches (b, 96, 64) float32 (`encode.mel`) -> (b, dim) float32.

    output: "vectors" are averaged over the patches of a part and made unit; "scores" are non-negative class scores,
    which are averaged and become the square roots of class probabilities (`encode.classes.hellinger`), so that dim
    is the number of classes.
    """

    modalities = frozenset({Modality.AUDIO})

    def __init__(self, graph: Session, *, dim: int, output: Literal["vectors", "scores"] = "vectors") -> None:
        self.dim = dim
        self.output = output
        self._graph = graph
        self._finish = hellinger if output == "scores" else unit

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str = "audio.onnx",
        output: Literal["vectors", "scores"] = "vectors",
        threads: int | None = None,
    ) -> OnnxAudio:
        """The encoder in a model folder; its graph is read on first use."""
        return cls(Session(Path(folder) / file, threads), dim=dim, output=output)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return {"dim": self.dim, "file": self._graph.save(folder, name), "output": self.output}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of sounds: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part is not mono float32 samples, or has none.
            ModelError: the graph cannot be read.
        """
        return self._finish(mean_per_part(*self._rows(batch)))

    sequential = True

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """Of each sound its patches in order, (t, dim) float32.

        Raises:
            ShapeError, ModelError: as `encode`.
        """
        rows, counts = self._rows(batch)
        rows = hellinger(rows) if self.output == "scores" else rows
        return np.split(rows, np.cumsum(counts)[:-1]) if counts else []

    def _rows(self, batch: Sequence[Part]) -> tuple[Array, list[int]]:
        """What the graph makes of every patch, and how many each part has."""
        counts: list[int] = []
        mels = (patch for part in batch for patch in self._patches(part, counts))
        return one_by_one(mels, self._graph, "mel", self.dim), counts

    def _patches(self, part: Part, counts: list[int]) -> Array:
        """The part's patches; how many there are is added to `counts`."""
        mel = patches(heard(part, RATE))
        counts.append(len(mel))
        return mel
