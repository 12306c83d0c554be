"""Batches from several sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from torch.utils.data import ConcatDataset, Dataset

from duretrieval.errors import ConfigError
from duretrieval.train.data.batches import Batch, Batches
from duretrieval.train.sample import Sample


class Mixed(Batches):
    """Batches from several sources, each batch from one of them, for `ConcatDataset(sources)`.

    sizes: samples of each source.  weights: how much of the batches comes from each; None: as much as it has samples.
    batches: in an epoch; None: as many as all samples fill.  A source that runs out begins anew, in another order.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        batch_size: int,
        weights: Sequence[float] | None = None,
        batches: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(batch_size, seed)
        wanted = [float(size) for size in sizes] if weights is None else [float(weight) for weight in weights]
        if len(wanted) != len(sizes) or any(w < 0 for w in wanted) or not sum(wanted) > 0:
            raise ConfigError(f"{len(sizes)} sources have the weights {wanted}; give each one, 0 or more, not all 0")
        if empty := [i for i, size in enumerate(sizes) if size < 1 and wanted[i] > 0]:
            raise ConfigError(f"source {empty[0]} has no samples; leave it out, or give it the weight 0")
        self.sizes = list(sizes)
        self.shares = np.array(wanted) / sum(wanted)
        self.batches = batches or -(-sum(sizes) // batch_size)

    def plan(self, rng: np.random.Generator) -> list[Batch]:
        """Sources drawn by weight, so evenly that their numbers are off by less than one; samples without repeats."""
        exact = self.shares * self.batches
        counts = np.floor(exact).astype(int)
        left = self.batches - int(counts.sum())
        counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
        begins = np.cumsum([0, *self.sizes])
        drawn = [
            self._draw(begin, size, count, rng)
            for begin, size, count in zip(begins[:-1], self.sizes, counts, strict=True)
        ]
        turns = rng.permutation(np.repeat(np.arange(len(self.sizes)), counts))
        return [drawn[source].pop() for source in turns]

    def _draw(self, begin: int, size: int, count: int, rng: np.random.Generator) -> list[Batch]:
        """`count` batches of a source; no batch holds a sample twice, unless the source is smaller than a batch."""
        batches: list[Batch] = []
        while len(batches) < count:
            order: list[int] = (begin + rng.permutation(size)).tolist()
            whole = len(order) - len(order) % self.batch_size or len(order)
            batches += [order[at : at + self.batch_size] for at in range(0, whole, self.batch_size)]
        return batches[:count]


def mixed(sources: Sequence[Dataset[Sample]]) -> tuple[ConcatDataset[Sample], list[int]]:
    """Sources one after the other, and their sizes for `Mixed`."""
    joined: ConcatDataset[Sample] = ConcatDataset(sources)
    ends = [0, *joined.cumulative_sizes]
    return joined, [end - begin for begin, end in pairwise(ends)]
