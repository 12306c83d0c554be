"""The rows beside the rows of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from duretrieval.media.relations import Neighbours, Relation, kinds_of
from duretrieval.training.data.batches import Rows
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Relations

SEEN: Mapping[str, tuple[str, ...]] = {"train": ("train",), "val": ("train", "val"), "test": ("train", "test")}
"""Of which splits the neighbours of a split's rows may be: training sees nothing of the others, and these see what a
collection would hold beside them."""

Beside = Sequence[tuple[tuple[int, ...], int]]
"""A row's neighbours: the places of a neighbour, several where it holds lists, and the number of its kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The neighbours of the rows of a batch, as `Around` has them."""

    rows: list[int]
    """Their places in the pool, each once"""
    places: Tensor
    there: Tensor
    kinds: Tensor


class Related:
    """The neighbours of the rows of a split, at most `most` of each.

    pool: the rows that can be neighbours.  lists: of row i its neighbours in `pool`; none for rows after them.  drawn:
    of more than `most` other ones in each step, which follow from seed, epoch and the rows of the step alone; otherwise
    the first ones.
    """

    def __init__(self, pool: Rows, lists: Sequence[Beside], most: int, seed: int, *, drawn: bool) -> None:
        self.pool, self.lists, self.most, self.seed, self.drawn = pool, lists, most, seed, drawn
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def still(self, pool: Rows) -> Related:
        """The same neighbours each time."""
        return Related(pool, self.lists, self.most, self.seed, drawn=False)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are running hear of it."""
        self._epoch.fill_(epoch)

    def of(self, places: Sequence[int]) -> Chosen | None:
        """Of rows of the split; None where nobody is beside any of them."""
        found = self._chosen(places)
        most = max(map(len, found), default=0)
        if not most:
            return None
        rows: dict[int, int] = {}
        at = torch.zeros((len(found), most), dtype=torch.int64)
        kinds, there = torch.zeros_like(at), torch.zeros(at.shape, dtype=torch.bool)
        for i, beside in enumerate(found):
            for j, (place, kind) in enumerate(beside):
                at[i, j], kinds[i, j], there[i, j] = rows.setdefault(place, len(rows)), kind, True
        return Chosen(list(rows), at, there, kinds)

    def _chosen(self, places: Sequence[int]) -> list[list[tuple[int, int]]]:
        rng = np.random.default_rng([self.seed, int(self._epoch), *places]) if self.drawn else None
        found = []
        for place in places:
            beside = self.lists[place] if place < len(self.lists) else ()
            if rng is None:
                found.append([(those[0], kind) for those, kind in beside[: self.most]])
                continue
            if len(beside) > self.most:
                beside = [beside[i] for i in rng.permutation(len(beside))[: self.most]]
            found.append([(int(rng.choice(those)) if len(those) > 1 else those[0], kind) for those, kind in beside])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The relations of all samples, split by split."""

    kinds: tuple[str, ...]
    """Of neighbours, as training has them."""
    lists: Mapping[str, Sequence[Beside]]
    """split -> of each of its samples the neighbours, by their places among all samples"""
    problems: tuple[str, ...]
    """What is not used, in sentences."""


def placed(parts: Mapping[str, Sequence[Sample]], starts: Mapping[str, int], settings: Relations) -> Placed:
    """Who is beside whom, in training among its rows alone and elsewhere as `SEEN` says.

    parts: split -> samples.  starts: split -> the place of its first among all.

    Raises:
        ConfigError: a directed kind that no relation is of.
    """
    where: dict[str, list[int]] = {}
    split: dict[str, str] = {}
    for name, samples in parts.items():
        for i, sample in enumerate(samples):
            where.setdefault(_row(sample), []).append(starts[name] + i)
            split[_row(sample)] = name
    every = [sample for samples in parts.values() for sample in samples]
    said = dict.fromkeys(Relation(_row(s), other, kind) for s in every for kind, other in s.related)
    learned = [r for r in said if split[r.item] == split.get(r.other) == "train" and r.item != r.other]
    kinds = kinds_of(learned, settings.directed if said else ())
    known = Neighbours.of(said, kinds, where)
    lists = {
        name: [
            [((*where[other],), kind) for other, kind in known.of_item(_row(s)) if split[other] in SEEN[name]]
            for s in samples
        ]
        for name, samples in parts.items()
    }
    return Placed(kinds, lists, (*known.problems(), *_between(said, split)))


def _row(sample: Sample) -> str:
    return sample.row or sample.id


def _between(relations: Mapping[Relation, None], split: Mapping[str, str]) -> list[str]:
    """That training does not look across, and a sentence on how much it so does not see."""
    ends = Counter(
        frozenset((split[r.item], split[r.other])) for r in relations if r.item in split and r.other in split
    )
    outside = sum(n for pair, n in ends.items() if len(pair) > 1)
    if not outside:
        return []
    seen = sum(n for pair, n in ends.items() if len(pair) > 1 and "train" in pair)
    return [
        f"{outside:,} of {sum(ends.values()):,} relations are between splits; rows of training do not see them, those "
        f"of val and test see the {seen:,} that lead to rows of training"
    ]
