"""The mean rule: one vector a modality, of however many parts or terms there are of it.

    v = unit(w_1 v_1 + ... + w_n v_n),    v_i = unit(align(encode(part_i))) in the shared space

A file of several windows, a text of several passages, an item, the terms of a query: what has several parts of a
modality has the unit mean of their unit vectors, taken behind the encoder and whatever follows it. Queries, wholes,
evaluation and training (`training/build/network.py`) all obey it, so what is learned is what is searched.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


def mean(vectors: Array, weights: Sequence[float] | None = None) -> Array:
    """(n, d) unit rows -> (d,) unit, their weighted mean; zeros where there is none, or they cancel out.

    weights: n numbers, None for equal ones.  mean([[1, 0], [0, 1]]) is [0.7071, 0.7071].
    """
    w = np.ones(len(vectors)) if weights is None else np.asarray(weights, dtype=np.float64)
    row: Array = unit(np.asarray(w @ vectors, dtype=np.float32))
    return row


def means(
    modalities: Sequence[Modality], vectors: Array, weights: Sequence[float] | None = None
) -> dict[Modality, Array]:
    """modality -> (1, d) unit: the mean of its rows of `vectors` (n, d), modalities[i] being that of row i.

    A modality whose rows cancel out is left out.
    """
    w = [1.0] * len(vectors) if weights is None else weights
    found = {}
    for modality in dict.fromkeys(modalities):
        mine = [i for i, other in enumerate(modalities) if other is modality]
        row = mean(vectors[mine], [w[i] for i in mine])
        if row.any():
            found[modality] = row[None]
    return found


def pooled(sequence: Array) -> Array:
    """The row of a part that came as tokens: (t, d) unit rows -> (d,) unit, their mean; of one row, that."""
    row: Array = sequence[0] if len(sequence) == 1 else mean(sequence)
    return row
