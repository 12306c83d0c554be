"""Some classes a batch, some samples of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.train.data.batches import Batch, Batches
from duretrieval.train.data.first_fit import first_fit


class PerClass(Batches):
    """`classes` classes a batch with `k` samples of each, for losses that look for positives in the batch.

    labels: of each sample; None: it is left out, as are classes of one sample.  A class gives all its samples in turns
    of k; the last turn is filled up with others of the class, and a class smaller than k gives fewer.
    """

    def __init__(self, labels: Sequence[str | None], classes: int, k: int = 2, seed: int = 0) -> None:
        if classes < 2 or k < 2:
            raise ConfigError(f"{classes} classes with {k} samples each; a batch needs at least two of both")
        super().__init__(classes * k, seed)
        self.classes, self.k = classes, k
        members: dict[str, list[int]] = defaultdict(list)
        for place, label in enumerate(labels):
            if label is not None:
                members[label].append(place)
        self.members = {label: places for label, places in members.items() if len(places) > 1}
        self.left_out = len(labels) - sum(map(len, self.members.values()))
        """Samples that are in no batch."""
        if len(self.members) < 2:
            raise ConfigError(f"{len(self.members)} classes have more than one sample; at least two are needed")

    def plan(self, rng: np.random.Generator) -> list[Batch]:
        """Turns of all classes in a random order, each in the first batch that has room and not its class."""
        turns = [(label, turn) for label, places in self.members.items() for turn in self._turns(places, rng)]
        turns = [turns[i] for i in rng.permutation(len(turns))]
        chosen = first_fit([label for label, _ in turns], self.classes)
        return [[place for i in batch for place in turns[i][1]] for batch in chosen if len(batch) > 1]

    def _turns(self, places: Sequence[int], rng: np.random.Generator) -> list[list[int]]:
        order: list[int] = rng.permutation(places).tolist()
        turns = [order[at : at + self.k] for at in range(0, len(order), self.k)]
        if len(turns) > 1:
            turns[-1] += order[: self.k - len(turns[-1])]
        return turns
