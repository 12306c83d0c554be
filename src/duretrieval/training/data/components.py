"""Samples that are tied together, directly or through others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.duplicates.near import near_groups
from duretrieval.duplicates.union_find import UnionFind
from duretrieval.training.data.identity import Identity
from duretrieval.training.recipe.recipe import RADIUS


def components(identities: Sequence[Identity], radius: int = RADIUS) -> list[list[int]]:
    """Places of the samples that hang together, each component in order, components by their first sample.

    Samples hang together that share a tie, or have pictures whose codes differ in at most `radius` bits
    (-1: looks do not count).
    """
    forest = UnionFind(len(identities))
    holder: dict[str, int] = {}
    for place, identity in enumerate(identities):
        for tie in identity.ties:
            forest.join(place, holder.setdefault(tie, place))
    for place, group in look_groups(identities, radius):
        forest.join(place, holder.setdefault(group, place))
    found: dict[int, list[int]] = {}
    for place in range(len(identities)):
        found.setdefault(forest.root(place), []).append(place)
    return list(found.values())


def look_groups(identities: Sequence[Identity], radius: int = RADIUS) -> list[tuple[int, str]]:
    """(place, "look:n") for every picture of every sample; pictures with the same name look alike."""
    shown = [(place, code) for place, identity in enumerate(identities) for code in identity.looks]
    if not shown or radius < 0:
        return []
    groups = near_groups(np.stack([np.frombuffer(code, np.uint8) for _, code in shown]), radius)
    return [(place, f"look:{group}") for (place, _), group in zip(shown, groups, strict=True)]
