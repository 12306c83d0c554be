"""Early fusion of sequences: words, regions, frames and patches of an item to one vector, by a trained network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.fuse.network import OnnxFusion, named
from duretrieval.onnx import Session
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality

ROWS = 32
"""Items in one run of the graph."""


class OnnxAttention(OnnxFusion):
    """A graph that takes of each modality NAME (n, t, d) and NAME_weights (n, t) float32 -> (n, dim) float32.

    Weights are 0 where there is no token.  tokens: modality -> the most tokens that a part of it has; the others come
    as one row.
    """

    def __init__(
        self,
        graph: Session,
        *,
        dim: int,
        modalities: Sequence[Modality],
        width: int | None = None,
        tokens: Mapping[Modality, int] | None = None,
    ) -> None:
        super().__init__(graph, dim=dim, modalities=modalities, width=width)
        self.tokens = dict(tokens or {})

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
        tokens: Mapping[str, int] | None = None,
    ) -> OnnxAttention:
        """The fusion in a model folder; its graph is read on first use.

        Raises:
            ModelError: a modality that there is not.
        """
        path, given = Path(folder) / file, tokens or {}
        read = dict(zip(named(path, list(given)), given.values(), strict=True))
        return cls(Session(path, threads), dim=dim, modalities=named(path, modalities), width=width, tokens=read)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.onnx; returns the options that `load` needs to find it."""
        tokens = {modality.value: most for modality, most in self.tokens.items()}
        return {**super().save(folder, name), **({"tokens": tokens} if tokens else {})}

    def __call__(self, vectors: Mapping[Modality, Array], /) -> Array:
        """As `OnnxFusion`: one row of each modality."""
        return self.of([{m: rows[i : i + 1] for m, rows in vectors.items()} for i in range(self._rows(vectors))])

    def of(
        self, items: Sequence[Mapping[Modality, Array]], weights: Sequence[Mapping[Modality, Array]] | None = None
    ) -> Array:
        """Items, each modality -> (t, width) unit rows, of any t; (n, dim) float32 unit rows.

        weights: of the tokens, modality -> (t,), above 0; None: all alike.

        Raises:
            ConfigError: a modality that the graph does not take.
            ShapeError: an item without any token, or tokens of another width.
            ModelError: the graph cannot be read.
        """
        for item in items:
            self._check(item)
        runs = (slice(start, start + ROWS) for start in range(0, len(items), ROWS))
        found = [self._graph.run(**self._padded(items[at], weights[at] if weights else None)) for at in runs]
        return unit(np.concatenate([np.zeros((0, self.dim), np.float32), *found]))

    def _padded(
        self, items: Sequence[Mapping[Modality, Array]], weights: Sequence[Mapping[Modality, Array]] | None
    ) -> dict[str, Array]:
        inputs: dict[str, Array] = {}
        for modality in self.modalities:
            longest = max([len(item.get(modality, ())) for item in items] + [1])
            rows = np.zeros((len(items), longest, self.width), np.float32)
            held = np.zeros((len(items), longest), np.float32)
            for i, item in enumerate(items):
                given = item.get(modality)
                if given is not None:
                    rows[i, : len(given)] = given
                    held[i, : len(given)] = 1.0 if weights is None else weights[i][modality]
            inputs[modality.value], inputs[f"{modality.value}_weights"] = rows, held
        return inputs

    def _check(self, item: Mapping[Modality, Array]) -> None:
        self._check_names(item)
        for modality, rows in item.items():
            if rows.ndim != 2 or rows.shape[1] != self.width or not len(rows):
                raise ShapeError(f"expected tokens of {modality} (t, {self.width}), one at least; got {rows.shape}")
