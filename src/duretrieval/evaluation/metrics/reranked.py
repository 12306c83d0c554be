"""Scores as a search has them where the model has a learned score of pairs: candidates by cosine, then in its order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duretrieval.evaluation.metrics.blocks import Compared
from duretrieval.protocols import Scorer
from duretrieval.rank.nearest import RERANKED
from duretrieval.types import Array, Ints

QUERIES = 32
"""How many are scored at once."""


class Reranked:
    """Scores (q, n) of queries and a gallery whose order is that of `rank.search` with `rank.scorer`.

    For each query the `candidates` with the largest cosine c have the scorer's score s; all others follow them, in the
    order of the cosine: min s + c - 2.  What it is asked for is scored once, however often rows are taken.

    queries: (q, d) and gallery: (n, d) unit rows.
    """

    def __init__(self, queries: Array, gallery: Array, scorer: Scorer, candidates: int = RERANKED) -> None:
        self.cosines = Compared(queries, gallery, np.inner)
        self.scorer = scorer
        self.candidates = min(candidates, len(gallery))
        self._near = np.zeros((len(queries), self.candidates), np.int32)
        self._scores = np.zeros((len(queries), self.candidates), np.float32)
        self._known = np.zeros(len(queries), np.bool_)

    @classmethod
    def of(cls, queries: Array, gallery: Array, near: Ints, scores: Array) -> Reranked:
        """Where the candidates are known, and scored: near (q, c), places in the gallery, and their scores (q, c)."""
        found = cls(queries, gallery, _asked_already, near.shape[1])
        found._near[:], found._scores[:], found._known[:] = near, scores, True
        return found

    @property
    def shape(self) -> tuple[int, int]:
        """(q, n)."""
        return self.cosines.shape

    def __getitem__(self, rows: slice) -> npt.NDArray[np.float32]:
        start, stop, _ = rows.indices(len(self._known))
        blocks = [self._block(at, min(at + QUERIES, stop)) for at in range(start, stop, QUERIES)]
        return np.concatenate([np.zeros((0, self.shape[1]), np.float32), *blocks])

    def _block(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        out = np.clip(self.cosines[start:stop], -1, 1)
        if not self._known[start:stop].all():
            self._score(start, stop, out)
        near, scores = self._near[start:stop], self._scores[start:stop]
        if self.candidates:
            out += scores.min(axis=1, keepdims=True) - 2
        np.put_along_axis(out, near, scores, axis=1)
        return out

    def _score(self, start: int, stop: int, cosines: npt.NDArray[np.float32]) -> None:
        """Find and score the candidates of queries start to stop."""
        near = np.argsort(-cosines, axis=1, kind="stable")[:, : self.candidates]
        asking = np.repeat(self.cosines.queries[start:stop], self.candidates, axis=0)
        scores = self.scorer(asking, self.cosines.gallery[near.ravel()])
        self._near[start:stop], self._scores[start:stop] = near, scores.reshape(near.shape)
        self._known[start:stop] = True


def _asked_already(a: Array, b: Array, /) -> Array:
    raise AssertionError("every query has its scores")
