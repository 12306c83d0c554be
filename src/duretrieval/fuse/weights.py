"""Late fusion with learned weights: how much the similarity of each modality counts, for this query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from duretrieval.errors import ShapeError
from duretrieval.fuse.network import named
from duretrieval.onnx import Session
from duretrieval.types import Array, Modality


class OnnxWeights:
    """A graph, queries (n, d) float32 -> weights (n, m) float32, above 0, of `modalities` in that order.

    The weights go into `Query.weights`, where an item's score is the weighted mean over the modalities it has.
    """

    def __init__(self, graph: Session, *, modalities: Sequence[Modality]) -> None:
        self.modalities = tuple(modalities)
        self._graph = graph

    @classmethod
    def load(cls, folder: str | Path, *, file: str, modalities: Sequence[str]) -> OnnxWeights:
        """What `save`, or `LateAttention.export` in training, wrote; its graph is read on first use.

        Raises:
            ModelError: a modality that there is not.
        """
        return cls(Session(Path(folder) / file), modalities=named(Path(folder) / file, modalities))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it.

        Raises:
            ModelError: the graph is not there to be copied.
        """
        return {"file": self._graph.save(folder, name), "modalities": [modality.value for modality in self.modalities]}

    def __call__(self, query: Array, /) -> dict[Modality, float]:
        """The vector of a query, (d,) unit, to a weight for each modality.

        Raises:
            ShapeError: not one vector.
        """
        if query.ndim != 1:
            raise ShapeError(f"expected the vector of one query, (d,); got {query.shape}")
        return dict(zip(self.modalities, self._graph.run(queries=query[None])[0].tolist(), strict=True))
