"""Which samples make a batch, epoch by epoch, the same after an interruption."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
from torch.utils.data import Sampler

from duretrieval.errors import ConfigError

Batch = list[int]


class Batches(Sampler[Batch], ABC):
    """Lists of places in a dataset. The batches of an epoch depend on seed and epoch alone.

    Iterating from the first to the last batch ends the epoch and begins the next; breaking off does not.
    """

    def __init__(self, batch_size: int, seed: int) -> None:
        if batch_size < 1:
            raise ConfigError(f"the batch size is {batch_size}; it must be at least 1")
        self.batch_size, self.seed = batch_size, seed
        self.epoch = 0
        self._given = self._start = 0
        self._plan: tuple[int, list[Batch]] | None = None

    @abstractmethod
    def plan(self, rng: np.random.Generator) -> list[Batch]:
        """The batches of an epoch."""

    def __iter__(self) -> Iterator[Batch]:
        batches = self._planned()
        self._given, self._start = self._start, 0
        for batch in batches[self._given :]:
            self._given += 1
            yield batch
        self.set_epoch(self.epoch + 1)

    def __len__(self) -> int:
        """Batches in this epoch."""
        return len(self._planned())

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch; where it is that epoch already, a position that was loaded is kept."""
        if epoch != self.epoch:
            self.epoch, self._given, self._start = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Where it stands: the epoch, and how many of its batches were given.

        A loader with workers asks ahead of what is trained with: save {"epoch": e, "done": n} as it was trained then.
        """
        return {"epoch": self.epoch, "done": self._given}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go to where `state_dict` stood: the next iteration begins with the batch after those that were done."""
        self.epoch = state["epoch"]
        self._given = self._start = state["done"]
        if self._start >= len(self):
            self.set_epoch(self.epoch + 1)

    def _planned(self) -> list[Batch]:
        if self._plan is None or self._plan[0] != self.epoch:
            self._plan = (self.epoch, self.plan(np.random.default_rng([self.seed, self.epoch])))
        return self._plan[1]
