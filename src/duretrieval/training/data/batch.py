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
        )

    def cut(self, start: int, stop: int) -> Batch:
        """Rows start to stop alone; the anchors among them are still the first."""
        at = slice(start, stop)
        inputs: dict[str, Inputs] = {}
        owners: dict[str, Tensor] = {}
        for name, given in self.inputs.items():
            owner = self._owner(name, given)
            mine = (owner >= start) & (owner < stop)
            inputs[name] = {key: value[mine] for key, value in given.items()} if bool(mine.any()) else {}
            if name in self.owners:
                owners[name] = owner[mine] - start
        return Batch(
            inputs,
            {name: mask[at] for name, mask in self.present.items()},
            self.keys[at],
            self.labels[at],
            self.rows[at],
            min(max(self.anchors - start, 0), stop - start),
            owners,
            None if self.scores is None else self.scores[at],
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
class View:
    """The rows of one view of a batch."""

    rows: Tensor
    """(b, d) unit; anything where the view is absent"""
    present: Tensor
    """(b,) bool"""
