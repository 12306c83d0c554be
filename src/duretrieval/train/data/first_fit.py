"""Put things in groups where no two are alike."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def first_fit(keys: Sequence[Hashable], size: int) -> list[list[int]]:
    """Places of the keys in groups of at most `size`, no key twice in one; each in the first group that takes it.

    first_fit(["a", "a", "b", "c"], 2) == [[0, 2], [1, 3]]
    """
    groups: list[list[int]] = []
    after: dict[Hashable, int] = {}
    room: list[int] = []  # room[g]: a group from g on that may have room, found along the chain

    def open_from(group: int) -> int:
        chain = []
        while group < len(groups) and room[group] != group:
            chain.append(group)
            group = room[group]
        for passed in chain:
            room[passed] = group
        return group

    for place, key in enumerate(keys):
        group = open_from(after.get(key, 0))
        if group == len(groups):
            groups.append([])
            room.append(group)
        groups[group].append(place)
        after[key] = group + 1
        if len(groups[group]) == size:
            room[group] = group + 1
    return groups
