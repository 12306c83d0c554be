"""Metrics by name, for protocols, files and the command line: `hit@5`, `ap`, `ndcg@10`, `median-rank` ..."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from duretrieval.errors import ConfigError
from duretrieval.evaluation import metrics
from duretrieval.evaluation.ranks import Ranks
from duretrieval.evaluation.statistics.bootstrap import Statistic
from duretrieval.types import Floats


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric with its settings: ranks to a value for each query, and how these become one number."""

    name: str
    of: Callable[[Ranks], Floats]
    statistic: Statistic = "mean"
    larger_is_better: bool = True
    """True for all shares, which lie in [0, 1]; False for ranks, from 1."""


# name -> (metric, whether it needs a cut-off, as in `hit@5`)
AT_K: dict[str, tuple[Callable[..., Floats], bool]] = {
    "hit": (metrics.hit_at_k, True),
    "recall": (metrics.recall_at_k, True),
    "precision": (metrics.precision_at_k, True),
    "ap": (metrics.average_precision, False),
    "ap-reachable": (partial(metrics.average_precision, over="reachable"), True),
    "ap-found": (partial(metrics.average_precision, over="found"), False),
    "ndcg": (metrics.ndcg, False),
    "ndcg-exponential": (partial(metrics.ndcg, gain="exponential"), False),
    "rr": (metrics.reciprocal_rank, False),
}
WHOLE = {
    "r-precision": Measure("r-precision", metrics.r_precision),
    "ap@r": Measure("ap@r", metrics.average_precision_at_r),
    "median-rank": Measure("median-rank", metrics.first_rank, "median", larger_is_better=False),
    "mean-rank": Measure("mean-rank", metrics.first_rank, larger_is_better=False),
}


def measure(name: str) -> Measure:
    """The metric called `name`.

    `hit@k` is what cross-modal papers print as R@k, `ap` averages to mAP, `rr` to MRR; k is any number above 0.

    >>> measure("hit@5").name
    'hit@5'

    Raises:
        ConfigError: there is no such metric, or it needs a cut-off; the message lists what there is.
    """
    if name in WHOLE:
        return WHOLE[name]
    found = re.fullmatch(r"([a-z-]+)(?:@([1-9][0-9]*))?", name)
    if found is None or found[1] not in AT_K or (found[2] is None and AT_K[found[1]][1]):
        known = [f"{stem}@K" if needs else f"{stem}[@K]" for stem, (_, needs) in AT_K.items()]
        raise ConfigError(f"no metric called {name!r}; there are {', '.join([*known, *WHOLE])}, with K from 1")
    function = AT_K[found[1]][0]
    return Measure(name, partial(function, k=int(found[2])) if found[2] else function)


def measures(names: Sequence[str]) -> tuple[Measure, ...]:
    """Several, in order.

    Raises:
        ConfigError: as `measure`.
    """
    return tuple(measure(name) for name in names)
