"""Films to vectors, by a graph that sees several frames at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from duretrieval.encode.batching import one_by_one
from duretrieval.encode.frames import evenly, frames_of
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part


class OnnxVideo:
    """A film encoder: a graph of clips (b, t, side, side, 3) uint8 RGB -> (b, dim) float32, its preprocessing inside.

    frames: the t of the graph; `encode.frames.evenly` takes that many from a film of any length.  A picture is a film
    that stands still.
    """

    modalities = frozenset({Modality.VIDEO, Modality.IMAGE})

    def __init__(self, graph: Session, *, dim: int, side: int = 224, frames: int = 16) -> None:
        self.dim = dim
        self.side = side
        self.frames = frames
        self._graph = graph

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        dim: int,
        file: str = "video.onnx",
        side: int = 224,
        frames: int = 16,
        threads: int | None = None,
    ) -> OnnxVideo:
        """The encoder in a model folder; its graph is read on first use."""
        return cls(Session(Path(folder) / file, threads), dim=dim, side=side, frames=frames)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return {"dim": self.dim, "file": self._graph.save(folder, name), "side": self.side, "frames": self.frames}

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of films, and of pictures as still films: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part is not pixels of the side that the graph takes, or a film has no frame.
            ModelError: the graph cannot be read.
        """
        clips = [evenly(frames_of(part, self.side), self.frames) for part in batch]
        return unit(one_by_one(clips, self._graph, "clips", self.dim))
