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


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The rows of one view of a batch."""

    rows: Tensor
    """(b, d) unit; anything where the view is absent"""
    present: Tensor
    """(b,) bool"""
