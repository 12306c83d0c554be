"""Rows of training data as batches: rows of frozen encoders from memory, everything else read and prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError
from duretrieval.training.contracts import Net
from duretrieval.training.data.batch import Batch, Inputs
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.sample import Sample
from duretrieval.types import Array, Ints, Modality


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


def numbered(names: Sequence[str]) -> tuple[Ints, list[str]]:
    """Each different name as a number, in order of appearance: (n,), and the names."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(name, len(places)) for name in names]
    return np.array(numbers, dtype=np.int64), list(places)


def keys_of(samples: Sequence[Sample]) -> Ints:
    """(n,) a number for each sample's key, its id where it has none."""
    return numbered([sample.key or f"\0{sample.id}" for sample in samples])[0]
