"""Every row once a pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from duretrieval.training.data.sample import Sample
from duretrieval.types import Ints


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Passes over the rows follow one another, each in an order of its own; what is left over of one is left out."""

    def __call__(self, samples: Sequence[Sample], batch: int, seed: int) -> Callable[[int], Ints]:
        """The rows of each step: step -> (batch,)."""
        return partial(shuffled, len(samples), batch, seed)


def shuffled(n: int, batch: int, seed: int, step: int) -> Ints:
    """(batch,) of n rows."""
    number, place = divmod(step, max(1, n // batch))
    return _order(n, seed, number)[place * batch : (place + 1) * batch]


@lru_cache(maxsize=2)
def _order(n: int, seed: int, number: int) -> Ints:
    """(n,) all rows, in the order of a pass; a pass has many steps."""
    return np.random.default_rng([seed, number]).permutation(n)
