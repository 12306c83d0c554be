"""Every sample once an epoch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.train.data.batches import Batch, Batches
from duretrieval.train.data.first_fit import first_fit
from duretrieval.train.sample import Sample


class Shuffled(Batches):
    """Every sample once an epoch, in a new order.

    distinct: for each sample what must not be twice in a batch, such as `keys_of(samples)`; None: nothing.  Then the
    last batches may be small.  drop_last: leave out batches that are not full.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int = 0,
        *,
        distinct: Sequence[Hashable] | None = None,
        drop_last: bool = False,
    ) -> None:
        super().__init__(batch_size, seed)
        if distinct is not None and len(distinct) != n:
            raise ConfigError(f"there are {n:,} samples, but {len(distinct):,} keys; give each sample one")
        self.n, self.distinct, self.drop_last = n, distinct, drop_last

    def plan(self, rng: np.random.Generator) -> list[Batch]:
        """Samples in a random order, each in the first batch that has room and not its key."""
        order: list[int] = rng.permutation(self.n).tolist()
        keys = order if self.distinct is None else [self.distinct[i] for i in order]
        batches = [[order[place] for place in batch] for batch in first_fit(keys, self.batch_size)]
        return [batch for batch in batches if len(batch) == self.batch_size or not self.drop_last]


def keys_of(samples: Sequence[Sample]) -> list[str]:
    """The key of each sample, which is its id where it has none."""
    return [sample.key or sample.id for sample in samples]
