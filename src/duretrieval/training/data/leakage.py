"""What two splits have in common, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duretrieval.training.data.components import look_groups
from duretrieval.training.data.identity import Identity, identify
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import RADIUS


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that is in more than one split."""

    tie: str
    """Such as "file:5f0c...", "text:a red bus", "group:anna", or "look:3" for pictures that look alike."""
    samples: Mapping[str, tuple[str, ...]]
    """split -> ids of the samples there that have it."""


def leaks(
    splits: Mapping[str, Sequence[Sample]],
    *,
    radius: int = RADIUS,
    identities: Mapping[str, Sequence[Identity]] | None = None,
) -> list[Leak]:
    """Every tie (`Identity.ties`), and every group of pictures that look alike, that crosses from one split to another.

    splits: such as {"train": splits.train, "test": splits.test}.  identities: what `identify` gave for each of them;
    None: it is asked.  An empty list is the proof that nothing straddles.
    """
    rows = [(name, sample) for name, held in splits.items() for sample in held]
    if identities is None:
        known = identify([sample for _, sample in rows], near=radius >= 0)
    else:
        known = [identity for name in splits for identity in identities[name]]
    holders: dict[str, list[int]] = {}
    for place, identity in enumerate(known):
        for tie in identity.ties:
            holders.setdefault(tie, []).append(place)
    for place, group in look_groups(known, radius):
        holders.setdefault(group, []).append(place)
    found = []
    for tie, places in holders.items():
        if len({rows[place][0] for place in places}) > 1:
            there = {name: tuple(rows[p][1].id for p in places if rows[p][0] == name) for name in splits}
            found.append(Leak(tie, {name: ids for name, ids in there.items() if ids}))
    return found
