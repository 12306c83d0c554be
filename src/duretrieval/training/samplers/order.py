"""Which rows make up which step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from duretrieval.training.samplers.shuffled import shuffled
from duretrieval.types import Ints


class Order:
    """Which rows make up which step, as a function of the seed and the number of the step alone.

    An epoch is the `steps` batches between two checks (0: one pass, as many as the n rows fill, and on to a multiple
    of `group`), so a run that goes on with epoch e sees the batches that it would have seen.  Of `world` devices, each
    takes its share of every batch.

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
        group: int = 1,
        draw: Callable[[int, int], Callable[[int], Ints]] | None = None,
    ) -> None:
        self.batch = max(min(batch, n) // world, 1) * world
        self.per_pass = max(1, n // self.batch)
        self.steps = steps or -(-self.per_pass // group) * group
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
