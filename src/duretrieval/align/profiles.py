"""A place to begin where two spaces show the same things: what is near to what is alike in both."""

from __future__ import annotations

import numpy as np

from duretrieval.align.csls import csls, mutual
from duretrieval.similarity import unit
from duretrieval.types import Array, Floats

QUANTILES = 256


def matched_profiles(a: Array, b: Array) -> Floats:
    """The rotation by those rows whose profiles choose one another: (d_x, d_y).

    a: (n, d_x), b: (m, d_y) centred unit rows, not paired.

    A row's profile is how its cosines with the rows of its own side are spread, which no rotation changes (Artetxe,
    Labaka and Agirre 2018, "A robust self-learning method for fully unsupervised cross-lingual mappings of word
    embeddings", section 3.2).  Unlike there, quantiles stand for the sorted cosines, so that n need not be m.  Rough:
    most of the pairs are wrong, and yet enough are right for `refine`.
    """
    i, j = mutual(csls(_profiles(a), _profiles(b)))
    u, _, vt = np.linalg.svd(a[i].T.astype(np.float64) @ b[j], full_matrices=False)
    rotation: Floats = u @ vt
    return rotation


def _profiles(rows: Array) -> Array:
    """(n, d) -> (n, `QUANTILES`) unit."""
    cosines = np.sort(rows @ rows.T, axis=1)
    at = np.linspace(0, len(rows) - 1, QUANTILES).round().astype(np.intp)
    return unit(cosines[:, at])
