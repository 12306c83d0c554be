"""Hard negatives: the rows of another view that come too near without belonging."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import torch

from duretrieval.errors import MissingExtra
from duretrieval.training.data.batch import View
from duretrieval.training.data.positives import Positives
from duretrieval.types import Array, Ints

SKIP = 1
"""Of the nearest that have another key, so many are passed over: the very nearest is often an unmarked positive."""
HELD = 1 << 24
"""Pairs of rows looked at at a time."""


def mine(views: Mapping[str, View], positives: Positives, n: int, count: int, skip: int = SKIP) -> Ints:
    """For each of n rows, places of rows whose view is near one of its own and that are not right: (n, count), -1 none.

    Each ordered pair of views gives its share, nearest first (Xiong et al. 2021, "Approximate nearest neighbor negative
    contrastive learning for dense text retrieval", section 4, with exact search by Faiss).  Unlike there, the first
    `skip` candidates of each row are left out.  Rows after the first n are candidates as any other.

    Raises:
        MissingExtra: Faiss is not installed.
    """
    pairs = list(permutations(views, 2))
    found = [_near(views, pair, positives, n, count + skip)[:, skip:] for pair in pairs]
    out = np.full((n, count), -1, dtype=np.int64)
    mixed = np.stack(found, axis=2).reshape(n, -1) if found else out  # by nearness, the pairs in turn
    for i, row in enumerate(mixed):
        chosen = list(dict.fromkeys(row[row >= 0].tolist()))[:count]
        out[i, : len(chosen)] = chosen
    return out


def _near(views: Mapping[str, View], pair: tuple[str, str], positives: Positives, n: int, count: int) -> Ints:
    """(n, count) rows of the second view that are not right for the first, nearest first; -1 where there are no more,
    or the first lacks the row."""
    a, b = views[pair[0]], views[pair[1]]
    gallery, asking = np.flatnonzero(b.present.numpy()), np.flatnonzero(a.present.numpy()[:n])
    out = np.full((n, count), -1, dtype=np.int64)
    if not len(gallery) or not len(asking):
        return out
    index = _index(b.rows.numpy()[gallery])
    blocks = min(len(asking), -(-len(asking) * len(gallery) // HELD))
    for places in np.array_split(asking, blocks):
        right = positives.same(pair[0], torch.from_numpy(places), pair[1], torch.from_numpy(gallery)).numpy()
        k = min(count + int(right.sum(axis=1).max()), len(gallery))
        nearest = index.search(_contiguous(a.rows.numpy()[places]), k)[1]
        for place, wrong, row in zip(places, ~right, nearest, strict=True):
            kept = gallery[row[wrong[row]]][:count]
            kept = kept[kept != place]
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
