"""One vector a modality, of however many parts or terms there are of it: what a fusion takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


def means(
    modalities: Sequence[Modality], vectors: Array, weights: Sequence[float] | None = None
) -> dict[Modality, Array]:
    """modality -> (1, d) unit: the weighted mean of its rows of `vectors` (n, d), modalities[i] being that of row i.

    weights: n numbers, None for equal ones.  A modality whose rows cancel out is left out.
    """
    w = np.ones(len(vectors)) if weights is None else np.asarray(weights, dtype=np.float64)
    found = {}
    for modality in dict.fromkeys(modalities):
        mine = [i for i, other in enumerate(modalities) if other is modality]
        mean = unit(np.asarray(w[mine] @ vectors[mine], dtype=np.float32)[None])
        if mean.any():
            found[modality] = mean
    return found
