"""Pictures and frames to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from duretrieval.encode.batching import mean_per_part, one_by_one
from duretrieval.encode.classes import hellinger
from duretrieval.encode.frames import frames_of
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part, Pixels

Output = Literal["vectors", "scores", "cells"]


class OnnxImage:
    """A picture encoder: a graph (b, side, side, 3) uint8 RGB -> (b, dim) float32, its preprocessing inside.

    output: "vectors" are averaged over a film's frames and made unit; "scores" are non-negative class scores, which
    are averaged and become the square roots of class probabilities (`encode.classes.hellinger`), so that dim is the
    number of classes.  "cells" are of a graph that ends in (b, cells, dim), patches or places of its last feature map,
    of which a picture's vector is the mean; such an encoder hands them on.
    """

    modalities = frozenset({Modality.IMAGE, Modality.VIDEO})

    def __init__(self, graph: Session, *, dim: int, side: int = 224, output: Output = "vectors") -> None:
        self.dim = dim
        self.side = side
        self.output = output
        self._graph = graph
        self._finish = hellinger if output == "scores" else unit

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str = "image.onnx",
        side: int = 224,
        output: Output = "vectors",
        threads: int | None = None,
    ) -> OnnxImage:
        """The encoder in a model folder; its graph is read on first use."""
        return cls(Session(Path(folder) / file, threads), dim=dim, side=side, output=output)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return {"dim": self.dim, "file": self._graph.save(folder, name), "side": self.side, "output": self.output}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of pictures and of films (the mean of their frames): (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part is not pixels of the side that the graph takes, or a film has no frame.
            ModelError: the graph cannot be read.
        """
        films = [frames_of(part, self.side) for part in batch]
        frames = [frame for film in films for frame in film]
        if self.sequential:
            means = [cells.mean(axis=0, keepdims=True) for cells in self._cells(frames)]
            rows = np.concatenate([np.zeros((0, self.dim), np.float32), *means])
        else:
            rows = one_by_one(frames, self._graph, "pixels", self.dim)
        return self._finish(mean_per_part(rows, [len(film) for film in films]))

    @property
    def sequential(self) -> bool:
        """Whether the graph ends in cells."""
        return self.output == "cells"

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """Of a picture its cells, row by row, and of a film of several frames the mean of each: (t, dim) float32 each.

        Raises:
            ShapeError, ModelError: as `encode`.
        """
        films = [frames_of(part, self.side) for part in batch]
        cells = iter(self._cells([frame for film in films for frame in film]))
        found = []
        for film in films:
            mine = [next(cells) for _ in film]
            found.append(mine[0] if len(mine) == 1 else np.stack([frame.mean(axis=0) for frame in mine]))
        return found

    def _cells(self, frames: Sequence[Pixels]) -> list[Array]:
        """(cells, dim) of each frame."""
        return [made[0] for made in self._graph.run_each({"pixels": frame[None]} for frame in frames)]
