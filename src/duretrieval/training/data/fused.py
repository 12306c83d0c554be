"""What a model makes of rows that hold several things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from duretrieval.fuse.means import mean
from duretrieval.model.model import Model
from duretrieval.types import Array, Modality


def fused(model: Model, read: Mapping[str, Sequence[list[Array] | None]], columns: Mapping[str, Modality]) -> Array:
    """(n, dim) unit: what the model fuses of a row's windows, or their mean where it fuses nothing; zeros without any.

    read: column -> of each of n rows its windows, (t, dim) unit rows each, as `Model.sequences` gives them.  Columns of
    one modality are one thing of more windows.
    """
    out = np.zeros((len(next(iter(read.values()))), model.dim), dtype=np.float32)
    for place in range(len(out)):
        found = [(columns[c], sequence) for c, rows in read.items() for sequence in rows[place] or ()]
        if found and model.fusion is not None:
            out[place] = model.whole(*zip(*found, strict=True))
        elif found:
            out[place] = mean(np.concatenate([sequence for _, sequence in found]))
    return out
