"""Hard negatives: the rows of another view that come too near without belonging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import torch

from duretrieval.errors import MissingExtra
from duretrieval.training.data.batch import View
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.things import once
from duretrieval.types import Array, Ints

SKIP = 1
"""Of the nearest that have another key, so many are passed over: the very nearest is often an unmarked positive."""
HELD = 1 << 24
"""Pairs of rows looked at at a time."""


def mine(
    views: Mapping[str, View],
    positives: Positives,
    n: int,
    count: int,
    skip: int = SKIP,
    *,
    margin: float | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Ints:
    """For each of n rows, places of rows whose view is near one of its own and that are not right: (n, count), -1 none.

    Each ordered pair of views gives its share, nearest first (Xiong et al. 2021, "Approximate nearest neighbor negative
    contrastive learning for dense text retrieval", section 4, with exact search by Faiss).  Unlike there, the first
    `skip` candidates of each row are left out.  Rows after the first n are candidates as any other; what several rows
    hold is one.  margin: a candidate's cosine is at most 1 - margin times that of the row's own pair, so that what is
    likely right though nobody says so stays out (Moreira et al. 2024, "NV-Retriever", section 4); a row without the
    other view has no such bound, and None bounds nothing.  pairs: which view asks and which is searched; None: all.

    Raises:
        MissingExtra: Faiss is not installed.
    """
    chosen_pairs = list(permutations(views, 2)) if pairs is None else pairs
    found = [_near(views, pair, positives, n, count + skip, margin)[:, skip:] for pair in chosen_pairs]
    out = np.full((n, count), -1, dtype=np.int64)
    mixed = np.stack(found, axis=2).reshape(n, -1) if found else out  # by nearness, the pairs in turn
    for i, row in enumerate(mixed):
        chosen = list(dict.fromkeys(row[row >= 0].tolist()))[:count]
        out[i, : len(chosen)] = chosen
    return out


def _near(
    views: Mapping[str, View], pair: tuple[str, str], positives: Positives, n: int, count: int, margin: float | None
) -> Ints:
    """(n, count) rows of the second view that are not right for the first, nearest first; -1 where there are no more,
    or the first lacks the row."""
    a, b = views[pair[0]], views[pair[1]]
    there = b.present.nonzero().flatten().cpu()
    gallery = there.numpy()[once(positives.of(pair[1], there).numpy())]
    asking = np.flatnonzero(a.present.numpy()[:n])
    out = np.full((n, count), -1, dtype=np.int64)
    if not len(gallery) or not len(asking):
        return out
    index, bounds = _index(b.rows.numpy()[gallery]), _bounds(a, b, n, margin)
    blocks = min(len(asking), -(-len(asking) * len(gallery) // HELD))
    for places in np.array_split(asking, blocks):
        right = positives.same(pair[0], torch.from_numpy(places), pair[1], torch.from_numpy(gallery)).numpy()
        right |= gallery[None, :] == places[:, None]
        k = min(count + int(right.sum(axis=1).max()), len(gallery))
        while True:
            scores, nearest = index.search(_contiguous(a.rows.numpy()[places]), k)
            good = ~np.take_along_axis(right, nearest, axis=1) & (scores <= bounds[places][:, None])
            if k == len(gallery) or margin is None or good.sum(axis=1).min() >= count:
                break
            k = min(2 * k, len(gallery))  # the bound takes the nearest away
        for place, row, kept in zip(places, nearest, good, strict=True):
            found = gallery[row[kept]][:count]
            out[place, : len(found)] = found
    return out


def _bounds(a: View, b: View, n: int, margin: float | None) -> Array:
    """(n,) the largest cosine that a negative of a row may have."""
    bounds = np.full(n, np.inf, dtype=np.float32)
    if margin is not None:
        both = (a.present & b.present)[:n].numpy()
        own = (a.rows[:n] * b.rows[:n]).sum(dim=1).numpy()
        bounds[both] = own[both] - margin * np.abs(own[both])
    return bounds


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
