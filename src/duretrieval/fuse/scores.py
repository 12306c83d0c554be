"""Late fusion: several weighted terms, and parts of several modalities, on one scale.

Cosines of different modalities do not mean the same: two unrelated texts may score 0.1 where two unrelated pictures
score 0.5. Each term's cosine is therefore measured against a background of parts that have nothing to do with it, per
modality m of the part,

    z_tm(p) = (v_t · p - mu_tm) / sigma_tm        mu_tm, sigma_tm: mean and deviation of v_t · b over b in background_m

(zero normalisation, Auckenthaler, Carey and Lloyd-Thomas 2000, "Score normalization for text-independent speaker
verification systems", Digital Signal Processing 10, section 3), and the terms are added with their weights:

    s_m(p) = sum_t w_t z_tm(p) / sqrt(sum_t w_t²)

so that an unrelated part scores about 0 ± 1 whatever its modality and however many terms there are. The sum is linear
in p, so per modality it is one vector to search with, a scale and an offset: a `Probe`. Terms of an ordinary query
share one search, and an approximate index serves weighted and negative terms as well as plain ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from duretrieval.errors import QueryError, ShapeError
from duretrieval.types import Array, Modality, Probe

SMALLEST_DEVIATION = 1e-3
"""A background that does not vary along a term says nothing about it; below this it is not divided by."""


def probes(
    vectors: Array,
    weights: Sequence[float],
    modalities: Iterable[Modality],
    background: Mapping[Modality, Array] | None = None,
) -> dict[Modality, Probe]:
    """Fuse a query's terms into one probe per modality that is searched.

    vectors: (t, d) unit rows, one a term.  weights: t numbers, negative for "less of this".  background: modality ->
    (b, d); a modality without one is scored by the plain weighted cosines (mu = 0, sigma = 1).

    Raises:
        QueryError: there is no term, or every weight is 0.
        ShapeError: not one weight a vector.
    """
    if vectors.ndim != 2 or len(vectors) != len(weights):
        raise ShapeError(f"expected one weight a term; got vectors of shape {vectors.shape} and {len(weights)} weights")
    w = np.asarray(weights, dtype=np.float64)
    length = float(np.linalg.norm(w))
    if length == 0:
        raise QueryError("the query asks for nothing: give at least one term with a weight other than 0")
    return {m: _probe(vectors, w / length, (background or {}).get(m)) for m in modalities}


def _probe(vectors: Array, w: np.ndarray, background: Array | None) -> Probe:
    """vectors (t, d), w (t,) with |w| = 1, background (b, d) or None."""
    mu, sigma = np.zeros(len(w)), np.ones(len(w))
    if background is not None:
        cosines = vectors @ background.T  # (t, b)
        mu = cosines.mean(axis=1)
        sigma = np.maximum(cosines.std(axis=1), SMALLEST_DEVIATION)
    direction = (w / sigma) @ vectors  # (d,)
    scale = float(np.linalg.norm(direction))
    vector = direction / scale if scale > 0 else direction  # opposite terms that cancel leave nothing to look for
    return Probe(vector.astype(np.float32), scale, float((w * mu / sigma).sum()))
