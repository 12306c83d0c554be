"""Hard negatives: the rows of another view that come too near without belonging."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
from torch import Tensor

from duretrieval.errors import MissingExtra
from duretrieval.training.data.batch import View
from duretrieval.types import Array, Ints

SKIP = 1
"""Of the nearest that have another key, so many are passed over: the very nearest is often an unmarked positive."""
HELD = 1 << 24
"""Neighbours held in memory at a time."""


def mine(views: Mapping[str, View], keys: Tensor, count: int, skip: int = SKIP) -> Ints:
    """For each row, places of rows whose view is near one of its own and whose key is another: (n, count), -1 is none.

    Each ordered pair of views gives its share, nearest first (Xiong et al. 2021, "Approximate nearest neighbor negative
    contrastive learning for dense text retrieval", section 4, with exact search by Faiss).  Unlike there, the first
    `skip` candidates of each row are left out.

    Raises:
        MissingExtra: Faiss is not installed.
    """
    pairs = list(permutations(views, 2))
    found = [_near(views[a], views[b], keys.numpy(), count + skip)[:, skip:] for a, b in pairs]
    out = np.full((len(keys), count), -1, dtype=np.int64)
    mixed = np.stack(found, axis=2).reshape(len(keys), -1) if found else out  # by nearness, the pairs in turn
    for i, row in enumerate(mixed):
        chosen = list(dict.fromkeys(row[row >= 0].tolist()))[:count]
        out[i, : len(chosen)] = chosen
    return out


def _near(a: View, b: View, keys: Ints, count: int) -> Ints:
    """(n, count) places in b of other keys, nearest first; -1 where there are no more, or a lacks the row."""
    n = len(keys)
    gallery, asking = np.flatnonzero(b.present.numpy()), np.flatnonzero(a.present.numpy())
    out = np.full((n, count), -1, dtype=np.int64)
    if not len(gallery) or not len(asking):
        return out
    most = int(np.bincount(np.unique(keys, return_inverse=True)[1]).max())  # rows that may share a key
    index = _index(b.rows.numpy()[gallery])
    k = min(count + most, len(gallery))
    blocks = min(len(asking), -(-len(asking) * k // HELD))  # a key of very many rows makes k large
    for places in np.array_split(asking, blocks):
        nearest = gallery[index.search(_contiguous(a.rows.numpy()[places]), k)[1]]
        for place, row in zip(places, nearest, strict=True):
            kept = row[keys[row] != keys[place]][:count]
            out[place, : len(kept)] = kept
    return out


def _index(gallery: Array) -> Any:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise MissingExtra("hard negatives need faiss: pip install 'duretrieval[faiss]'") from error
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(_contiguous(gallery))
    return index


def _contiguous(rows: Array) -> Array:
    return np.ascontiguousarray(rows, dtype=np.float32)
