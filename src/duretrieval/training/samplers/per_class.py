"""Some classes a step, some rows of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.samplers.sources import NONE, sources
from duretrieval.types import Ints

CHOICES = ("label", "key", "group")


@dataclass(frozen=True, slots=True)
class PerClass:
    """A step has `each` rows of as many classes as fit, all drawn anew: a rare class comes as often as a frequent one.

    A class of fewer rows gives them all, and other rows fill the batch up, with no row twice.  by: what makes a class.
    With `by = "label"` rows of one label are positives of one another, unless `Data.positives` says otherwise.
    """

    each: int = 4
    by: Literal["label", "key", "group"] = "label"

    def __post_init__(self) -> None:
        if self.by not in CHOICES or isinstance(self.each, bool) or not isinstance(self.each, int) or self.each < 2:
            raise ConfigError(
                f"the sampler per-class has each = {self.each!r} and by = {self.by!r}; each is a whole number from 2, "
                f"and by one of {', '.join(CHOICES)}"
            )

    def __call__(self, samples: Sequence[Sample], batch: int, seed: int) -> Callable[[int], Ints]:
        """The rows of each step: step -> (batch,).

        Raises:
            ConfigError: there are fewer classes than a batch is to have, or a batch has no room for two.
        """
        found = sources(samples, self.by)
        if self.by != "key":
            found.pop(NONE, None)
        classes = [places for places in found.values() if len(places) > 1]
        wanted = batch // self.each
        if len(classes) < 2:
            raise ConfigError(
                f"the sampler per-class goes by {self.by}, and {len(classes)} {self.by}s have two training rows; "
                f"it needs two at least. Give rows a {self.by}, another `by`, or leave fit.sampler out"
            )
        if wanted < 2 or len(classes) < wanted:
            raise ConfigError(
                f"a batch of {batch} has {wanted} times {self.each} rows of one {self.by}, and {len(classes)} "
                f"{self.by}s have two training rows or more; a batch needs two at least. Set fit.batch from "
                f"{2 * self.each} to {len(classes) * self.each}, or another `each`, or leave fit.sampler out"
            )
        return partial(per_class, classes, self.each, len(samples), batch, seed)


def per_class(classes: Sequence[Ints], each: int, n: int, batch: int, seed: int, step: int) -> Ints:
    """(batch,) of n rows: batch // each classes with up to `each` rows of one class, then any others."""
    rng = np.random.default_rng([seed, step])
    chosen = rng.choice(len(classes), batch // each, replace=False)
    parts = [rng.choice(classes[i], min(each, len(classes[i])), replace=False) for i in chosen]
    rows: Ints = np.concatenate(parts)
    if len(rows) < batch:
        others = np.setdiff1d(np.arange(n), rows, assume_unique=True)
        rows = np.concatenate([rows, rng.choice(others, batch - len(rows), replace=False)])
    return rows
