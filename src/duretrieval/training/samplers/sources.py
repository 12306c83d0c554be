"""Rows by what they have in common: the same label, key, group, or columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from duretrieval.training.data.sample import Sample
from duretrieval.types import Ints

By = Literal["label", "key", "group", "columns"]
NONE = "none"
"""What rows are called that have no label, or no group."""


def sources(samples: Sequence[Sample], by: By) -> dict[str, Ints]:
    """Name -> places of its rows, in order of appearance; columns are called as a view is, "text+audio"."""
    found: dict[str, list[int]] = {}
    for place, sample in enumerate(samples):
        found.setdefault(_name(sample, by), []).append(place)
    return {name: np.array(places, dtype=np.int64) for name, places in found.items()}


def _name(sample: Sample, by: By) -> str:
    if by == "columns":
        return "+".join(sample.columns) or NONE
    if by == "key":
        return sample.key or sample.id
    return (sample.label if by == "label" else sample.group) or NONE
