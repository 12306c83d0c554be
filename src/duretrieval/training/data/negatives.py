"""The negatives that rows bring, as rows of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from duretrieval.training.data.sample import Sample
from duretrieval.types import Ints, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Negatives:
    """The negatives that samples bring, as samples of their own that follow them."""

    samples: tuple[Sample, ...]
    """One column each, no key and no label: they belong to nothing but what has the same text or file."""
    places: Ints | None
    """(n, h) places of each sample's, -1 is none; None: no sample has any."""


def negatives_of(samples: Sequence[Sample], columns: Mapping[str, Modality]) -> Negatives:
    """Those in these columns."""
    found: list[Sample] = []
    lists: list[list[int]] = []
    for sample in samples:
        mine = [(c, part) for c, parts in sample.negatives.items() if c in columns for part in parts]
        lists.append([len(samples) + len(found) + i for i in range(len(mine))])
        found += [Sample(f"{sample.id}~{i}", {c: part}, split=sample.split) for i, (c, part) in enumerate(mine, 1)]
    if not found:
        return Negatives((), None)
    places = np.full((len(samples), max(map(len, lists))), -1, dtype=np.int64)
    for row, mine_at in zip(places, lists, strict=True):
        row[: len(mine_at)] = mine_at
    return Negatives(tuple(found), places)
