"""Pictures and frames to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from duretrieval.encode.batching import mean_per_part, one_by_one
from duretrieval.encode.classes import hellinger
from duretrieval.encode.frames import frames_of
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part


class OnnxImage:
    """A picture encoder: a graph (b, side, side, 3) uint8 RGB -> (b, dim) float32, its preprocessing inside.

    output: "vectors" are averaged over a film's frames and made unit; "scores" are non-negative class scores, which
    are averaged and become the square roots of class probabilities (`encode.classes.hellinger`), so that dim is the
    number of classes.
    """

    modalities = frozenset({Modality.IMAGE, Modality.VIDEO})

    def __init__(
        self, graph: Session, *, dim: int, side: int = 224, output: Literal["vectors", "scores"] = "vectors"
    ) -> None:
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
        output: Literal["vectors", "scores"] = "vectors",
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
        frames = (frame for film in films for frame in film)
        rows = one_by_one(frames, self._graph, "pixels", self.dim)
        return self._finish(mean_per_part(rows, [len(film) for film in films]))
