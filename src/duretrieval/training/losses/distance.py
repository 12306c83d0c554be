"""Distances from scores, for the losses that are written in distances."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from duretrieval.errors import ConfigError

Scores = Literal["cosine", "euclidean"]
"""What the scores are: cosines of unit rows, or negative Euclidean distances."""
SMALLEST = 1e-6
"""Squared distances are taken to be at least this: the square root has no gradient at 0, and float32 cosines are about
this exact."""


def distance(scores: Tensor, of: Scores) -> Tensor:
    """Euclidean distances: D = sqrt(2 - 2 cos) of unit rows, or D = -score."""
    if of == "cosine":
        return (2 - 2 * scores).clamp(min=SMALLEST).sqrt()
    return (-scores).clamp(min=0)


def check_scores(of: str) -> None:
    """Raises ConfigError where `of` is not one of `Scores`."""
    if of not in ("cosine", "euclidean"):
        raise ConfigError(
            f"scores are {of!r}; this loss is one of distances, which it knows from 'cosine' and 'euclidean' scores. "
            "For another score take the loss 'hinge' or 'infonce'"
        )
