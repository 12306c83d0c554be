"""What a fusion of tokens reads of an item's parts, or of a query's terms."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from duretrieval.fuse.means import mean, pooled
from duretrieval.types import Array, Modality

PARTS = 64
"""Parts of one modality whose tokens are read at most, of an item as of a query and of a row of training."""

Tokens = dict[Modality, Array]


def side_by_side(
    modalities: Sequence[Modality],
    sequences: Sequence[Array],
    weights: Sequence[float] | None,
    read: Collection[Modality],
) -> tuple[Tokens, Tokens]:
    """modality -> (t, d) unit rows, and modality -> their weights (t,), of parts (t_i, d) with weights of their own.

    read: the modalities of which the tokens of all parts stand side by side, each with its part's share of the weight;
    of the others there is one row, the mean.  weights: None is as many as a part has tokens.  A modality without a row
    that points anywhere is left out.
    """
    rows: Tokens = {}
    shares: Tokens = {}
    for modality in dict.fromkeys(modalities):
        mine = [i for i, other in enumerate(modalities) if other is modality]
        if modality in read:
            mine = mine[:PARTS]
            each = [len(sequences[i]) if weights is None else weights[i] for i in mine]
            rows[modality] = np.concatenate([sequences[i] for i in mine])
            lengths = [len(sequences[i]) for i in mine]
            shares[modality] = np.repeat(np.divide(each, lengths), lengths).astype(np.float32)
        else:
            each = [1.0 if weights is None else weights[i] for i in mine]
            rows[modality] = mean(np.stack([pooled(sequences[i]) for i in mine]), each)[None]
            shares[modality] = np.ones(1, np.float32)
    there = [modality for modality, held in rows.items() if held.any()]
    return {m: rows[m] for m in there}, {m: shares[m] for m in there}
