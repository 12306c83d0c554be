"""Rows of training data as batches: rows of frozen encoders from memory, everything else read ahead and prepared."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError, MediaError, MissingExtra
from duretrieval.evaluation.labels.together import MATCH
from duretrieval.fuse.means import mean
from duretrieval.training.contracts import Net
from duretrieval.training.data.batch import Around, Batch, Inputs
from duretrieval.training.data.content import Loaded
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.left_out import LeftOut
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.taught import Taught
from duretrieval.types import Array, Floats, Ints, Modality, Part

if TYPE_CHECKING:
    from duretrieval.training.data.related import Chosen, Related

AHEAD = 1
"""Batches whose files are read while one is learned from."""
SHARE = 0.5
"""Of an accelerator's free memory that rows of frozen encoders may take."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch whose files are being read."""

    places: list[int]
    """Anchors, and the mined rows after them."""
    anchors: int
    reading: Sequence[Future[Loaded]]
    """A row each; none where nothing reads files."""
    beside: tuple[Chosen, _Begun] | None = None
    """Their neighbours, and the rows of these."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of all rows."""

    modality: Modality
    present: npt.NDArray[np.bool_]
    """(n,)"""
    rows: Array | None = None
    """(w, d) unit, of a frozen encoder: the windows of all rows, in order, or their tokens, in half precision"""
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
    every: gives more of the windows of what it reads, in their place.  left_out: what is not read again in this run; a
    column of a row that could not be read is absent from then on.  positives: which rows belong together; None: those
    of one key.  against: (n, h) places of the negatives that the data itself gives a row, -1 is none.  scores:
    (n + e,), as `Batch.scores`.  taught: what a teacher makes of all of them.
    mined: (n, h) places of hard negatives, or None; their rows follow the anchors, as those of `against` do.
    related: the rows beside each, or None.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        keys: Ints,
        labels: Ints,
        examples: Examples | None = None,
        every: Callable[[Part], Sequence[Part]] | None = None,
        left_out: LeftOut | None = None,
        *,
        positives: Positives | None = None,
        against: Ints | None = None,
        scores: Floats | None = None,
        taught: Taught | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.left_out = left_out or LeftOut()
        self.keys, self.labels = torch.from_numpy(keys), torch.from_numpy(labels)
        self.examples, self.every = examples, every
        self.positives = positives or Positives.of_keys(keys)
        self.against = against
        self.taught = taught
        self.scores = None if scores is None else torch.from_numpy(scores.astype(np.float32))
        self.mined: Ints | None = None
        self.related: Related | None = None
        self._rows = {name: torch.from_numpy(c.rows) for name, c in columns.items() if c.rows is not None}
        self._near = self._rows
        self._starts = {name: torch.from_numpy(c.starts) for name, c in columns.items() if c.starts is not None}
        self._present = {name: torch.from_numpy(c.present) for name, c in columns.items()}

    def plain(self, every: Callable[[Part], Sequence[Part]] | None = None) -> Rows:
        """All rows as they are: not augmented, the same windows each time, negatives as rows like any other.

        every: the windows of a part that nets read; None: the one in the middle.
        """
        read = self.examples
        still = None if read is None else Examples(read.samples, seed=read.seed, decoders=read.decoders)
        rows = Rows(
            self.columns,
            self.keys.numpy(),
            self.labels.numpy(),
            still,
            every,
            self.left_out,
            positives=self.positives,
            scores=None if self.scores is None else self.scores.numpy().astype(np.float64),
        )
        if self.related is not None:
            rows.related = self.related.still(rows if self.related.pool is self else self.related.pool.plain(every))
        return rows

    def keep_on(self, device: torch.device) -> None:
        """Hold the rows of frozen encoders on a CUDA device, so that no step carries them there, if they fit."""
        self._near = self._rows
        size = sum(rows.nbytes for rows in self._rows.values())
        if device.type == "cuda" and size <= SHARE * torch.cuda.mem_get_info(device)[0]:
            self._near = {name: rows.to(device) for name, rows in self._rows.items()}
        self.positives.keep_on(device)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins: other windows, other neighbours."""
        if self.examples is not None:
            self.examples.set_epoch(epoch)
        if self.related is not None:
            self.related.set_epoch(epoch)

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
        return self._finish(self._begin(places))

    def batches(self, order: Iterable[Sequence[int]]) -> Iterator[Batch]:
        """A batch for each list of places, in order; the files of the next are read meanwhile."""
        waiting: deque[_Begun] = deque()
        try:
            for places in order:
                waiting.append(self._begin(places))
                if len(waiting) > AHEAD:
                    yield self._finish(waiting.popleft())
            while waiting:
                yield self._finish(waiting.popleft())
        finally:
            for begun in waiting:
                for loaded in (*begun.reading, *(begun.beside[1].reading if begun.beside else ())):
                    loaded.cancel()

    def _begin(self, places: Sequence[int]) -> _Begun:
        anchors, places = len(places), [*places, *self.harder(places)]
        begun = self._reading(places, anchors)
        chosen = None if self.related is None else self.related.of(places)
        if self.related is None or chosen is None:
            return begun
        return replace(begun, beside=(chosen, self.related.pool._reading(chosen.rows, len(chosen.rows))))

    def _reading(self, places: list[int], anchors: int) -> _Begun:
        """These rows and no others."""
        if self.examples is None or self.every is not None:
            return _Begun(places, anchors, ())
        return _Begun(places, anchors, [self.examples.begin(i, self.left_out.__contains__) for i in places])

    def harder(self, places: Sequence[int]) -> list[int]:
        """The hard negatives of these rows, given and mined, as far as they are not among them."""
        found: dict[int, None] = {}
        for lists in (self.against, self.mined):
            if lists is not None:
                found |= dict.fromkeys(lists[list(places)].ravel().tolist())
        known = set(places)
        return [place for place in found if place >= 0 and place not in known]

    def _finish(self, begun: _Begun) -> Batch:
        at = torch.tensor(begun.places, dtype=torch.int64)
        present = {name: mask[at] for name, mask in self._present.items()}
        read = self._read(begun)
        inputs: dict[str, Inputs] = {}
        owners: dict[str, Tensor] = {}
        for name, column in self.columns.items():
            if column.net is None:
                inputs[name], owner = self._encoded(name, at)
            else:
                inputs[name], owner = self._prepared(name, column.net, read, present[name])
            if owner is not None:
                owners[name] = owner
        scores, around = None if self.scores is None else self.scores[at], self._around(begun)
        return Batch(inputs, present, self.keys[at], self.labels[at], at, begun.anchors, owners, scores, around)

    def _around(self, begun: _Begun) -> Around | None:
        if self.related is None or begun.beside is None:
            return None
        chosen, rows = begun.beside
        return Around(self.related.pool._finish(rows), chosen.places, chosen.there, chosen.kinds)

    def _read(self, begun: _Begun) -> list[dict[str, Sequence[Part]]]:
        """The windows of each row's columns that could be read; none where no encoder learns."""
        learning = [name for name, column in self.columns.items() if column.net is not None]
        if not learning:
            return []
        if self.examples is None:
            raise ConfigError(f"the columns {', '.join(learning)} have encoders that learn, and nothing reads them")
        samples, every = [self.examples.samples[i] for i in begun.places], self.every
        return [self._every(sample, every) for sample in samples] if every else self._single(begun, samples)

    def _encoded(self, name: str, at: Tensor) -> tuple[Inputs, Tensor | None]:
        """Rows of a frozen encoder, (w, d), and whose they are where a row has several."""
        rows, chosen, owner = self._near[name], at, None
        if name in self._starts:
            chosen, owner = _windows(self._starts[name], at)
        found = rows.index_select(0, chosen.to(rows.device)).float()
        return {"rows": found}, None if owner is None or len(owner) == len(at) else owner

    def _prepared(
        self, name: str, net: Net, read: Sequence[Mapping[str, Sequence[Part]]], present: Tensor
    ) -> tuple[Inputs, Tensor | None]:
        """What a net takes of a column, and whose its windows are where a row has several; {} where no row has it.

        What could not be read is not `present` any more.
        """
        there = [i for i in present.nonzero().flatten().tolist() if read[i].get(name)]
        present.zero_()[there] = True
        held = [part for i in there for part in read[i][name]]
        owner = [i for i in there for _ in read[i][name]]
        return net.prepare(held) if held else {}, torch.tensor(owner) if len(held) > len(there) else None

    def _single(self, begun: _Begun, samples: Sequence[Sample]) -> list[dict[str, Sequence[Part]]]:
        """The one window of each column that was read, when all rows are."""
        found = [loaded.result() for loaded in begun.reading]
        for sample, loaded in zip(samples, found, strict=True):
            for column, error in loaded.faults.items():
                self.left_out.add(sample, column, error)
        return [
            {name: [part] for name, part in loaded.sample.columns.items() if name not in loaded.faults}
            for loaded in found
        ]

    def _every(self, sample: Sample, every: Callable[[Part], Sequence[Part]]) -> dict[str, Sequence[Part]]:
        """All windows of the columns of a row that can be read."""
        found: dict[str, Sequence[Part]] = {}
        for column, part in sample.columns.items():
            if part not in self.left_out:
                try:
                    found[column] = every(part)
                except (MediaError, MissingExtra) as error:
                    self.left_out.add(sample, column, error)
        return found


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
