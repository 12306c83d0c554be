"""Samples as a torch dataset: item i is sample i with its files decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError
from duretrieval.media import Limits
from duretrieval.training import parts
from duretrieval.training.data.content import load_sample
from duretrieval.training.data.read import Problem, Read
from duretrieval.training.data.sample import Sample
from duretrieval.types import Part, Reading

Change = Callable[[Part, np.random.Generator], Part]
SHOWN = 5
"""Problems that a message lists."""


class Examples(Dataset[Sample]):
    """`len(examples)` samples; `examples[i]` is the i-th with decoded content, as `types.Part` says.

    training: films and sounds give a window at random, text files a passage at random; otherwise always the same,
    the middle window.  augment: changes each part, as `augment.compose` makes it; None: nothing.  What comes depends
    on seed, epoch and i alone, whichever process asks and in whatever order.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        reading: Reading | None = None,
        limits: Limits | None = None,
        augment: Change | None = None,
        seed: int = 0,
        *,
        training: bool = False,
    ) -> None:
        self.samples = tuple(samples)
        self.reading, self.limits = reading or Reading(), limits or Limits()
        self.augment, self.seed, self.training = augment, seed, training
        # shared, so that workers that outlive an epoch hear of the next
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    @classmethod
    def read(
        cls,
        reader: str,
        path: Path | str,
        reading: Reading | None = None,
        limits: Limits | None = None,
        augment: Change | None = None,
        seed: int = 0,
        *,
        training: bool = False,
        split: str | None = None,
        leave_out: bool = False,
        **options: Any,
    ) -> Self:
        """The data set at `path`, by a reader of "train.readers" and its options.

        split: only samples that the data itself puts there.  leave_out: go on without the rows that have problems.

        Raises:
            ConfigError: rows have problems, and `leave_out` is not set; or no sample is left.
            UnknownPart: there is no such reader.
        """
        found: Read = parts.find("train.readers", reader)(path, **options)
        if found.problems and not leave_out:
            raise ConfigError(f"{path}: {_said(found.problems)}; correct them, or set leave_out to go on without them")
        samples = [sample for sample in found.samples if split is None or sample.split == split]
        if not samples:
            where = "" if split is None else f" in split {split!r}; its splits are: {_splits(found.samples)}"
            raise ConfigError(f"{path}: there is no sample{where}")
        return cls(samples, reading, limits, augment, seed, training=training)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, i: int) -> Sample:
        """Sample i.

        Raises:
            MediaError: a file cannot be used; the message names row and file.
            IndexError: there is no sample i.
        """
        if not -len(self) <= i < len(self):
            raise IndexError(f"there is no sample {i}; there are {len(self)}")
        i %= len(self)
        rng = np.random.default_rng([self.seed, self.epoch, i])
        sample = load_sample(self.samples[i], self.reading, self.limits, rng if self.training else None)
        if self.augment is None:
            return sample
        return _changed(sample, self.augment, rng)

    @property
    def epoch(self) -> int:
        """Which epoch's windows and augmentations come."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are running hear of it."""
        self._epoch.fill_(epoch)


def _changed(sample: Sample, augment: Change, rng: np.random.Generator) -> Sample:
    columns: Mapping[str, Part] = {column: augment(part, rng) for column, part in sample.columns.items()}
    return replace(sample, columns=columns)


def _said(problems: Sequence[Problem]) -> str:
    shown = "; ".join(map(str, problems[:SHOWN]))
    more = f"; and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
    return f"{len(problems):,} rows cannot be used: {shown}{more}"


def _splits(samples: Sequence[Sample]) -> str:
    return ", ".join(sorted({sample.split for sample in samples if sample.split})) or "none"
