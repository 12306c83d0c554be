"""Samples as a torch dataset: item i is sample i with its files decoded, elsewhere and several at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch.utils.data import Dataset

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media import DecoderPool, Limits
from duretrieval.training import parts
from duretrieval.training.data.content import Loaded, load_sample
from duretrieval.training.data.decoders import Decoders
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
    on seed, epoch and i alone, whichever process asks and in whatever order.  decoders: those of other splits.
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
        decoders: Decoders | None = None,
    ) -> None:
        self.samples = tuple(samples)
        self.decoders = decoders or Decoders(reading or Reading(), limits or Limits())
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
        return self.__getitems__([i % len(self)])[0]

    def __getitems__(self, places: Sequence[int]) -> list[Sample]:
        """Several at once, as torch's loader asks for a batch: their files are decoded side by side."""
        begun = [(self.samples[i], self.begin(i)) for i in places]
        return [_whole(sample, loaded.result()) for sample, loaded in begun]

    def begin(self, i: int, known: Callable[[Part], bool] = lambda part: False) -> Future[Loaded]:
        """Begin to read sample i, but for the parts that are `known` not to be readable."""
        columns = {column: part for column, part in self.samples[i].columns.items() if not known(part)}
        sample, rng = replace(self.samples[i], columns=columns), np.random.default_rng([self.seed, self.epoch, i])

        def load(pool: DecoderPool) -> Loaded:
            loaded = load_sample(sample, pool, rng if self.training else None)
            if self.augment is None:
                return loaded
            changed = {column: self.augment(part, rng) for column, part in loaded.sample.columns.items()}
            return replace(loaded, sample=replace(loaded.sample, columns=changed))

        if any(isinstance(part.content, Path) for part in columns.values()):
            return self.decoders.submit(load)
        done: Future[Loaded] = Future()  # a thread would take longer than what is at hand
        done.set_result(load(self.decoders.pool))
        return done

    @property
    def epoch(self) -> int:
        """Which epoch's windows and augmentations come."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins; workers that are running hear of it."""
        self._epoch.fill_(epoch)


def _whole(asked: Sample, loaded: Loaded) -> Sample:
    for column, error in loaded.faults.items():
        raise MediaError(
            f"row '{asked.id}', column '{column}', {asked.columns[column].content}: {error}. Validate the data before "
            "training with it, and leave such rows out"
        ) from error
    return loaded.sample


def _said(problems: Sequence[Problem]) -> str:
    shown = "; ".join(map(str, problems[:SHOWN]))
    more = f"; and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
    return f"{len(problems):,} rows cannot be used: {shown}{more}"


def _splits(samples: Sequence[Sample]) -> str:
    return ", ".join(sorted({sample.split for sample in samples if sample.split})) or "none"
