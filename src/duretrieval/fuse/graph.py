"""Early fusion that sees past the item: its modalities and the items beside it to one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ModelError, ShapeError
from duretrieval.fuse.network import OnnxFusion, named
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Ints, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The neighbours of n items, at most k of each."""

    middles: Array
    """(n, k, d): of each neighbour the mean of its modalities' unit rows (`middle`)"""
    there: Array
    """(n, k) 1 where there is one, else 0"""
    kinds: Ints
    """(n, k) numbers of their kinds"""


def beside(neighbours: Sequence[Sequence[tuple[Array, int]]], dim: int) -> Beside:
    """Of n items the neighbours of each, as (middle, kind), in arrays; k is 1 at least."""
    k = max([1, *map(len, neighbours)])
    middles = np.zeros((len(neighbours), k, dim), np.float32)
    there, kinds = np.zeros((len(neighbours), k), np.float32), np.zeros((len(neighbours), k), np.int64)
    for i, those in enumerate(neighbours):
        for j, (row, kind) in enumerate(those):
            middles[i, j], there[i, j], kinds[i, j] = row, 1.0, kind
    return Beside(middles, there, kinds)


class OnnxGraphFusion(OnnxFusion):
    """A graph that takes neighbours (n, k, d), related (n, k) and kinds (n, k) int64, too.

    kinds: what neighbours are, by number; a directed kind is there from both ends (`media.relations.kinds_of`).
    neighbours: how many of an item are looked at.
    """

    def __init__(
        self,
        graph: Session,
        *,
        dim: int,
        modalities: Sequence[Modality],
        width: int | None = None,
        kinds: Sequence[str],
        neighbours: int,
    ) -> None:
        super().__init__(graph, dim=dim, modalities=modalities, width=width)
        self.kinds, self.neighbours = tuple(kinds), neighbours

    @classmethod
    def load(  # type: ignore[override]  # a graph of its own kind has options of its own
        cls,
        folder: str | Path,
        *,
        file: str,
        dim: int,
        modalities: Sequence[str],
        kinds: Sequence[str],
        neighbours: int,
        width: int | None = None,
        threads: int | None = None,
    ) -> OnnxGraphFusion:
        """As `OnnxFusion.load`.

        Raises:
            ModelError: a modality that there is not; or no kind, or no neighbour to look at.
        """
        path = Path(folder) / file
        if not kinds or neighbours < 1:
            raise ModelError(f"{path} looks at {neighbours} neighbours of {len(kinds)} kinds; export the model again")
        inputs = named(path, modalities)
        return cls(Session(path, threads), dim=dim, modalities=inputs, width=width, kinds=kinds, neighbours=neighbours)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """As `OnnxFusion.save`."""
        return {**super().save(folder, name), "kinds": [*self.kinds], "neighbours": self.neighbours}

    def __call__(self, vectors: Mapping[Modality, Array], /) -> Array:
        """Items alone, as `OnnxFusion`: a query has no neighbours."""
        return self.beside(vectors, beside([()] * len(next(iter(vectors.values()), ())), self.width))

    def beside(self, vectors: Mapping[Modality, Array], around: Beside) -> Array:
        """Items beside their neighbours: (n, dim) float32 unit rows.

        Raises:
            ShapeError: neighbours of other items, or of another width; and as `OnnxFusion.__call__`.
            ConfigError, ModelError: as `OnnxFusion.__call__`.
        """
        rows, present = self.stacked(vectors)
        k = around.there.shape[-1]
        if around.middles.shape != (len(rows), k, self.width) or around.kinds.shape != (len(rows), k):
            raise ShapeError(
                f"expected neighbours ({len(rows)}, k, {self.width}); got {around.middles.shape} with kinds "
                f"{around.kinds.shape}"
            )
        if not len(rows):
            return np.zeros((0, self.dim), dtype=np.float32)
        given = {"neighbours": around.middles, "related": around.there, "kinds": around.kinds}
        return unit(self._graph.run(rows=rows, present=present, **given))


def middle(vectors: Mapping[Modality, Array]) -> Array:
    """What an item is to its neighbours, of modality -> (1, d) unit rows: (d,), their mean."""
    found: Array = np.concatenate(list(vectors.values())).mean(axis=0, dtype=np.float64).astype(np.float32)
    return found
