"""Nearest neighbours without hubs, and the pairs of rows that choose one another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duretrieval.errors import ConfigError
from duretrieval.types import Array

NEIGHBOURS = 10
Places = npt.NDArray[np.intp]


def csls(a: Array, b: Array, *, neighbours: int = NEIGHBOURS) -> Array:
    """Cross-domain similarity local scaling of unit rows a (n, d) and b (m, d): (n, m).

    2 cos(a_i, b_j) - r(a_i) - r(b_j),  r: the mean cosine with the `neighbours` nearest on the other side
    (Conneau et al. 2018, "Word translation without parallel data", ICLR, eq. 5), so that a hub, which is near to
    everything, is nobody's nearest. Where a side has fewer rows, all of them are neighbours.

    Raises:
        ConfigError: neighbours is less than 1.
    """
    if neighbours < 1:
        raise ConfigError(f"neighbours is {neighbours}; it must be at least 1")
    cosines: Array = a @ b.T
    r_a, r_b = _nearest_mean(cosines, neighbours), _nearest_mean(cosines.T, neighbours)
    scaled: Array = 2 * cosines - r_a[:, None] - r_b[None, :]
    return scaled


def mutual(scores: Array) -> tuple[Places, Places]:
    """Pairs (i, j) of which each is the best of the other: scores (n, m) -> (p,), (p,).

    mutual([[3, 2], [1, 0]]) is [0], [0]: row 1 likes column 0 best too, but column 0 prefers row 0.
    """
    forward, backward = scores.argmax(axis=1), scores.argmax(axis=0)
    rows = np.flatnonzero(backward[forward] == np.arange(len(scores)))
    return rows, forward[rows]


def _nearest_mean(cosines: Array, neighbours: int) -> Array:
    k = min(neighbours, cosines.shape[1])
    nearest = np.partition(cosines, cosines.shape[1] - k, axis=1)[:, -k:]
    mean: Array = nearest.mean(axis=1)
    return mean
