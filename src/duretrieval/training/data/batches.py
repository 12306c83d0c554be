"""Rows of training data as batches: rows of frozen encoders from memory, everything else read and prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from duretrieval.errors import ConfigError
from duretrieval.training.contracts import Net
from duretrieval.training.data.batch import Batch, Inputs
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.sample import Sample
from duretrieval.training.samplers.shuffled import shuffled
from duretrieval.training.samplers.sources import Ints
from duretrieval.types import Array, Modality


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of all rows."""

    modality: Modality
    present: npt.NDArray[np.bool_]
    """(n,)"""
    rows: Array | None = None
    """(n, d) of a frozen encoder"""
    net: Net | None = None
    """The encoder that learns"""


class Rows(Dataset[Batch]):
    """Training data whose item is a batch: `rows[[3, 1, 2]]` has rows 3, 1 and 2 in this order.

    columns: by name.  keys, labels: (n,).  examples: decodes the columns that a net reads; None where there are none.
    mined: (n, h) places of hard negatives, or None; their rows follow the anchors.
    """

    def __init__(
        self, columns: Mapping[str, Column], keys: Ints, labels: Ints, examples: Examples | None = None
    ) -> None:
        self.columns = dict(columns)
        self.keys, self.labels = torch.from_numpy(keys), torch.from_numpy(labels)
        self.examples = examples
        self.mined: Ints | None = None
        self._rows = {name: torch.from_numpy(c.rows) for name, c in columns.items() if c.rows is not None}
        self._present = {name: torch.from_numpy(c.present) for name, c in columns.items()}

    def plain(self) -> Rows:
        """The same rows as they are: not augmented, the same windows each time, without negatives."""
        read = self.examples
        still = None if read is None else Examples(read.samples, read.reading, read.limits, None, read.seed)
        return Rows(self.columns, self.keys.numpy(), self.labels.numpy(), still)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, places: Sequence[int]) -> Batch:
        anchors = len(places)
        if self.mined is not None:
            more = self.mined[list(places)].ravel()
            known = set(places)
            places = [*places, *(p for p in dict.fromkeys(more[more >= 0].tolist()) if p not in known)]
        at = torch.tensor(places, dtype=torch.int64)
        present = {name: mask[at] for name, mask in self._present.items()}
        inputs: dict[str, Inputs] = {name: {"rows": rows.index_select(0, at)} for name, rows in self._rows.items()}
        inputs |= self._prepared(places, present)
        return Batch(inputs, present, self.keys[at], self.labels[at], at, anchors)

    def _prepared(self, places: Sequence[int], present: Mapping[str, Tensor]) -> dict[str, Inputs]:
        """What the nets read of these rows."""
        learning = {name: column for name, column in self.columns.items() if column.net is not None}
        if not learning:
            return {}
        if self.examples is None:
            raise ConfigError(f"the columns {', '.join(learning)} have encoders that learn, and nothing reads them")
        read = [self.examples[i] for i in places]
        out: dict[str, Inputs] = {}
        for name, column in learning.items():
            parts = [sample.columns[name] for sample, there in zip(read, present[name], strict=True) if there]
            assert column.net is not None
            out[name] = column.net.prepare(parts) if parts else {}
        return out


class Order(Sampler[list[int]]):
    """Which rows make up which step, as a function of the seed and the number of the step alone.

    An epoch is the `steps` steps between two checks (0: one pass, as many steps as the n rows fill), so a run that goes
    on with epoch e sees the batches that it would have seen.  Of `world` devices, each takes its share of every batch.

    draw: makes the rows of each step of a batch size and a seed (`samplers`); None: every row once a pass.
    """

    def __init__(
        self,
        n: int,
        batch: int,
        seed: int,
        steps: int = 0,
        *,
        rank: int = 0,
        world: int = 1,
        draw: Callable[[int, int], Callable[[int], Ints]] | None = None,
    ) -> None:
        self.batch = max(min(batch, n) // world, 1) * world
        self.per_pass = max(1, n // self.batch)
        self.steps = steps or self.per_pass
        self.rank, self.world = rank, world
        self.rows = draw(self.batch, seed) if draw else partial(shuffled, n, self.batch, seed)
        self.epoch = 0

    def epochs(self, passes: int) -> int:
        """How many epochs make up so many passes over the rows; a last one that is begun is whole."""
        return -(-passes * self.per_pass // self.steps)

    def passes(self, epoch: int) -> int:
        """How many passes are over when an epoch begins."""
        return epoch * self.steps // self.per_pass

    def set_epoch(self, epoch: int) -> None:
        """Go on with the steps of this epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.epoch * self.steps, (self.epoch + 1) * self.steps):
            rows = self.rows(step)
            yield rows[: len(rows) // self.world * self.world][self.rank :: self.world].tolist()


def numbered(names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Each different name as a number, in order of appearance: (n,), and the names."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(name, len(places)) for name in names]
    return np.array(numbers, dtype=np.int64), list(places)


def keys_of(samples: Sequence[Sample]) -> Ints:
    """(n,) a number for each sample's key, its id where it has none."""
    return numbered([sample.key or f"\0{sample.id}" for sample in samples])[0]
