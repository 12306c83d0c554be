"""Several rows of training data as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

Inputs = Mapping[str, Tensor]
"""What an encoder takes, by the names of its arguments; a frozen one's rows are called `rows`."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """b rows; the first n of them are anchors, those after them only serve as negatives."""

    inputs: Mapping[str, Inputs]
    """column -> tensors of the windows of the rows where it is present, in order"""
    present: Mapping[str, Tensor]
    """column -> (b,) bool"""
    keys: Tensor
    """(b,) int64; rows with the same key belong together"""
    labels: Tensor
    """(b,) int64; -1 where the class is not known"""
    rows: Tensor
    """(b,) int64, their places in the data"""
    anchors: int
    owners: Mapping[str, Tensor] = field(default_factory=dict)
    """column -> (w,) int64, the row of each of its windows, in order; only where a row has several"""
    scores: Tensor | None = None
    """(b,) how far the columns of a row belong together, NaN where it does not say; None: no row does"""
    around: Around | None = None
    """The rows beside these; None: there are none, or nobody looks at them"""

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(
            {name: {k: v.to(device) for k, v in inputs.items()} for name, inputs in self.inputs.items()},
            {name: mask.to(device) for name, mask in self.present.items()},
            self.keys.to(device),
            self.labels.to(device),
            self.rows.to(device),
            self.anchors,
            {name: owner.to(device) for name, owner in self.owners.items()},
            None if self.scores is None else self.scores.to(device),
            None if self.around is None else self.around.to(device),
        )

    def take(self, at: Tensor) -> Batch:
        """These rows alone, by their places in order, and their neighbours; the anchors are still the first."""
        chosen = torch.zeros(len(self.keys), dtype=torch.bool, device=self.keys.device)
        chosen[at] = True
        place = chosen.cumsum(0) - 1
        inputs: dict[str, Inputs] = {}
        owners: dict[str, Tensor] = {}
        for name, given in self.inputs.items():
            owner = self._owner(name, given)
            mine = chosen[owner]
            inputs[name] = {key: value[mine] for key, value in given.items()} if bool(mine.any()) else {}
            if name in self.owners:
                owners[name] = place[owner[mine]]
        return Batch(
            inputs,
            {name: mask[at] for name, mask in self.present.items()},
            self.keys[at],
            self.labels[at],
            self.rows[at],
            int((at < self.anchors).sum()),
            owners,
            None if self.scores is None else self.scores[at],
            None if self.around is None else self.around.take(at),
        )

    def _owner(self, column: str, given: Inputs) -> Tensor:
        """(w,) the row of each window of a column."""
        if column in self.owners:
            return self.owners[column]
        windows = len(next(iter(given.values()))) if given else 0
        if windows == len(self.keys):
            return torch.arange(windows, device=self.keys.device)
        return self.present[column].nonzero().flatten()[:windows]


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """The neighbours of b rows, at most k of each."""

    batch: Batch
    """(c,) the rows that are anybody's neighbours, each once"""
    places: Tensor
    """(b, k) int64, places in `batch`; anything where there are fewer"""
    there: Tensor
    """(b, k) bool"""
    kinds: Tensor
    """(b, k) int64, the number of a neighbour's kind; 0 where there is none"""

    def to(self, device: torch.device) -> Around:
        """The same on another device."""
        places, there, kinds = (t.to(device) for t in (self.places, self.there, self.kinds))
        return Around(self.batch.to(device), places, there, kinds)

    def take(self, at: Tensor) -> Around:
        """The neighbours of these rows alone; one at least, whoever sees it."""
        there = self.there[at]
        used = torch.zeros(len(self.batch.keys), dtype=torch.bool, device=there.device)
        used[self.places[at][there]] = True
        used[:1] |= ~used.any()
        places = (used.cumsum(0) - 1).clamp(min=0)[self.places[at]]
        return Around(self.batch.take(used.nonzero().flatten()), places, there, self.kinds[at])


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The rows of one view of a batch."""

    rows: Tensor
    """(b, d) unit; anything where the view is absent"""
    present: Tensor
    """(b,) bool"""
