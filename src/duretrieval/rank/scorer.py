"""Re-ranking by a learned score of pairs.

The cosine finds candidates among millions; a score that was trained (`neural-tensor`, `pair-scorer`) then looks at each
of a few hundred pairs of query and part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.errors import ShapeError
from duretrieval.onnx import Session
from duretrieval.types import Array

PAIRS = 1024
"""Pairs in one run of a graph."""


class OnnxScorer:
    """A graph `a` (n, d), `b` (n, d) float32 -> (n,) float32; a larger score is better."""

    def __init__(self, graph: Session) -> None:
        self._graph = graph

    def __call__(self, a: Array, b: Array, /) -> Array:
        """Scores of n pairs: (n, d), (n, d) -> (n,).

        Raises:
            ShapeError: not two matrices of one shape, or rows of another length than the graph takes.
            ModelError: the graph cannot be read.
        """
        d = self._graph.width("a")
        if a.ndim != 2 or a.shape != b.shape or d not in (None, a.shape[1]):
            raise ShapeError(
                f"expected pairs (n, {d or 'd'}) and (n, {d or 'd'}) to score; got {a.shape} and {b.shape}"
            )
        a, b = (np.ascontiguousarray(rows, dtype=np.float32) for rows in (a, b))
        blocks = (slice(start, start + PAIRS) for start in range(0, len(a), PAIRS))
        scores = self._graph.run_each({"a": a[rows], "b": b[rows]} for rows in blocks)
        return np.concatenate([np.zeros(0, np.float32), *scores])

    @classmethod
    def load(cls, folder: str | Path, *, file: str = "scorer.onnx", threads: int | None = None) -> OnnxScorer:
        """The scorer in a model folder; its graph is read on first use."""
        return cls(Session(Path(folder) / file, threads))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Copy the graph to `name`.onnx; returns the options that `load` needs to find it."""
        return {"file": self._graph.save(folder, name)}
