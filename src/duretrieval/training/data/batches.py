"""Rows of training data as batches: rows of frozen encoders from memory, everything else read and prepared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.together import MATCH
from duretrieval.fuse.means import mean
from duretrieval.training.contracts import Net
from duretrieval.training.data.batch import Batch, Inputs
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.taught import Taught
from duretrieval.types import Array, Floats, Ints, Modality, Part


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of all rows."""

    modality: Modality
    present: npt.NDArray[np.bool_]
    """(n,)"""
    rows: Array | None = None
    """(w, d) unit, of a frozen encoder: the windows of all rows, in order"""
    net: Net | None = None
    """The encoder that learns"""
    starts: Ints | None = None
    """(n + 1,) the windows of row i are rows[starts[i] : starts[i + 1]], one at least; None: each row has one."""

    def cut(self, at: slice) -> Column:
        """The rows of a slice."""
        if self.rows is None or self.starts is None:
            return replace(self, present=self.present[at], rows=None if self.rows is None else self.rows[at])
        starts = self.starts[at.start : at.stop + 1]
        rows = self.rows[starts[0] : starts[-1]]
        return replace(self, present=self.present[at], rows=rows, starts=starts - starts[0])

    def means(self) -> Array:
        """(n, d) unit: one row each before any head, for what is fitted to things and not to their windows."""
        assert self.rows is not None
        if self.starts is None:
            return self.rows
        return np.stack([mean(self.rows[a:b]) for a, b in pairwise(self.starts.tolist())])


class Rows(Dataset[Batch]):
    """Training data whose item is a batch: `rows[[3, 1, 2]]` has rows 3, 1 and 2 in this order.

    columns: by name, (n + e,) rows: those after the first n are negatives of some of them, and never anchors.  keys,
    labels: (n + e,).  examples: decodes the columns that a net reads, one window each; None where there are none.
    every: gives more of the windows of what it reads, in their place.  positives: which rows belong together; None:
    those of one key.  against: (n, h) places of the negatives that the data itself gives a row, -1 is none.  scores:
    (n + e,), as `Batch.scores`.  taught: what a teacher makes of all of them.
    mined: (n, h) places of hard negatives, or None; their rows follow the anchors, as those of `against` do.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        keys: Ints,
        labels: Ints,
        examples: Examples | None = None,
        every: Callable[[Part], Sequence[Part]] | None = None,
        *,
        positives: Positives | None = None,
        against: Ints | None = None,
        scores: Floats | None = None,
        taught: Taught | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.keys, self.labels = torch.from_numpy(keys), torch.from_numpy(labels)
        self.examples, self.every = examples, every
        self.positives = positives or Positives.of_keys(keys)
        self.against = against
        self.taught = taught
        self.scores = None if scores is None else torch.from_numpy(scores.astype(np.float32))
        self.mined: Ints | None = None
        self._rows = {name: torch.from_numpy(c.rows) for name, c in columns.items() if c.rows is not None}
        self._starts = {name: torch.from_numpy(c.starts) for name, c in columns.items() if c.starts is not None}
        self._present = {name: torch.from_numpy(c.present) for name, c in columns.items()}

    def plain(self, every: Callable[[Part], Sequence[Part]] | None = None) -> Rows:
        """All rows as they are: not augmented, the same windows each time, negatives as rows like any other.

        every: the windows of a part that nets read; None: the one in the middle.
        """
        read = self.examples
        still = None if read is None else Examples(read.samples, read.reading, read.limits, None, read.seed)
        return Rows(
            self.columns,
            self.keys.numpy(),
            self.labels.numpy(),
            still,
            every,
            positives=self.positives,
            scores=None if self.scores is None else self.scores.numpy().astype(np.float64),
        )

    def __len__(self) -> int:
        """How many can be anchors."""
        return len(self.keys) if self.against is None else len(self.against)

    @property
    def linked(self) -> Tensor:
        """(n + e,) bool: what a row holds belongs together, as far as it says so."""
        return torch.ones(len(self.keys), dtype=torch.bool) if self.scores is None else ~(self.scores < MATCH)

    @property
    def total(self) -> int:
        """How many there are, with the negatives that follow."""
        return len(self.keys)

    def __getitem__(self, places: Sequence[int]) -> Batch:
        anchors = len(places)
        places = [*places, *self.harder(places)]
        at = torch.tensor(places, dtype=torch.int64)
        present = {name: mask[at] for name, mask in self._present.items()}
        inputs: dict[str, Inputs] = {}
        owners: dict[str, Tensor] = {}
        for name, rows in self._rows.items():
            chosen = at
            if name in self._starts:
                chosen, owner = _windows(self._starts[name], at)
                if len(owner) > len(at):
                    owners[name] = owner
            inputs[name] = {"rows": rows.index_select(0, chosen)}
        inputs |= self._prepared(places, present, owners)
        scores = None if self.scores is None else self.scores[at]
        return Batch(inputs, present, self.keys[at], self.labels[at], at, anchors, owners, scores)

    def harder(self, places: Sequence[int]) -> list[int]:
        """The hard negatives of these rows, given and mined, as far as they are not among them."""
        found: dict[int, None] = {}
        for lists in (self.against, self.mined):
            if lists is not None:
                found |= dict.fromkeys(lists[list(places)].ravel().tolist())
        return [place for place in found if place >= 0 and place not in set(places)]

    def _prepared(
        self, places: Sequence[int], present: Mapping[str, Tensor], owners: dict[str, Tensor]
    ) -> dict[str, Inputs]:
        """What the nets read of these rows; where that is several windows of one, `owners` is told."""
        learning = {name: column for name, column in self.columns.items() if column.net is not None}
        if not learning:
            return {}
        if self.examples is None:
            raise ConfigError(f"the columns {', '.join(learning)} have encoders that learn, and nothing reads them")
        every = self.every
        read = [self.examples.samples[i] if every else self.examples[i] for i in places]
        out: dict[str, Inputs] = {}
        for name, column in learning.items():
            there = present[name].nonzero().flatten().tolist()
            windows = [[*every(read[i].columns[name])] if every else [read[i].columns[name]] for i in there]
            if any(len(found) > 1 for found in windows):
                owners[name] = torch.tensor([i for i, found in zip(there, windows, strict=True) for _ in found])
            parts = [part for found in windows for part in found]
            assert column.net is not None
            out[name] = column.net.prepare(parts) if parts else {}
        return out


def _windows(starts: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the windows of the rows `at` (b,), and of each the row in the batch that it belongs to: (w,), (w,)."""
    counts = starts[at + 1] - starts[at]
    owner = torch.repeat_interleave(torch.arange(len(at)), counts)
    within = torch.arange(len(owner)) - (counts.cumsum(0) - counts)[owner]
    return starts[at][owner] + within, owner


def numbered(names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Each different name as a number, in order of appearance: (n,), and the names."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(name, len(places)) for name in names]
    return np.array(numbers, dtype=np.int64), list(places)


def keys_of(samples: Sequence[Sample]) -> Ints:
    """(n,) a number for each sample's key, its id where it has none."""
    return numbered([sample.key or f"\0{sample.id}" for sample in samples])[0]
