"""Rows drawn by the weight of where they belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

import numpy as np

from duretrieval import plugins
from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.samplers.sources import By, sources
from duretrieval.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class Weighted:
    """Rows drawn anew for each step, w_s / sum w of them from source s, whatever its size; no row twice in a batch.

    by: what makes a source: the label of a row, its group, key, or the columns that it has ("text+audio").  weights:
    by the name of a source; one that is not named counts 1, and 0 leaves it out.  A source with fewer rows than are
    wanted of it gives all of them, and the others the rest.  alone: each batch is from one source, drawn by weight, so
    that all its rows are negatives of one another; it is smaller where the source is.
    """

    by: By = "label"
    weights: Mapping[str, float] = field(default_factory=dict)
    alone: bool = False

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise ConfigError(f"the sampler weighted has by = {self.by!r}; it is one of {', '.join(get_args(By))}")
        if not isinstance(self.weights, Mapping):
            raise ConfigError(
                f"the sampler weighted has weights = {self.weights!r}; give a table, such as {{ cat = 2, dog = 1 }}"
            )
        for name, weight in self.weights.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
                raise ConfigError(f"the sampler weighted gives {name!r} the weight {weight!r}; give a number from 0")

    def __call__(self, samples: Sequence[Sample], batch: int, seed: int) -> Callable[[int], Ints]:
        """The rows of each step: step -> (batch,), or fewer of a small source that is alone.

        Raises:
            ConfigError: a weight is of no source, all are 0, or there are too few rows to draw from.
        """
        found = sources(samples, self.by)
        for name in self.weights:
            if name not in found:
                raise ConfigError(
                    f"the sampler weighted gives {name!r} a weight, and no training row has that {self.by}."
                    f"{plugins.suggest(name, list(found))} There are: {', '.join(list(found)[:10])}"
                )
        held = {name: places for name, places in found.items() if self.weights.get(name, 1.0) > 0}
        rows = sum(map(len, held.values()))
        if rows < (2 if self.alone else batch):
            raise ConfigError(
                f"the sampler weighted has {rows} rows to draw batches of {batch} from, as the others have the weight "
                f"0; set fit.batch to {rows} at most, or other weights"
            )
        if self.alone and (lonely := [name for name, places in held.items() if len(places) < 2]):
            raise ConfigError(
                f"the sampler weighted makes batches of one {self.by} each, and {lonely[0]!r} has one row, which has "
                f"nothing to be told from; give it the weight 0, or leave `alone` out"
            )
        w = np.array([self.weights.get(name, 1.0) for name in held], dtype=np.float64)
        return partial(one_source if self.alone else mixed, list(held.values()), w / w.sum(), batch, seed)


def mixed(places: Sequence[Ints], shares: Floats, batch: int, seed: int, step: int) -> Ints:
    """(batch,) rows of all sources."""
    rng = np.random.default_rng([seed, step])
    sizes = np.array([len(rows) for rows in places])
    counts = np.zeros(len(places), np.int64)
    while left := batch - int(counts.sum()):
        room = np.where(counts < sizes, shares, 0.0)
        counts = np.minimum(counts + rng.multinomial(left, room / room.sum()), sizes)
    drawn = [rng.choice(rows, count, replace=False) for rows, count in zip(places, counts, strict=True)]
    found: Ints = rng.permutation(np.concatenate(drawn))
    return found


def one_source(places: Sequence[Ints], shares: Floats, batch: int, seed: int, step: int) -> Ints:
    """(b,) rows of one source, b <= batch."""
    rng = np.random.default_rng([seed, step])
    rows = places[rng.choice(len(places), p=shares)]
    found: Ints = rng.choice(rows, min(batch, len(rows)), replace=False)
    return found
