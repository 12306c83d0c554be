"""A run and judgements, to the ranks that metrics take."""

from __future__ import annotations

from typing import Literal

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.evaluation.ranks import Ranks, from_rows
from duretrieval.evaluation.runs.rows import Judgements, Run

Ties = Literal["worst", "best", "order"]


def judge(run: Run, judgements: Judgements, *, ties: Ties = "order") -> tuple[tuple[str, ...], Ranks]:
    """The judged queries, in the judgements' order, and where their relevant items came.

    A query that the run does not answer has all its relevant items at rank inf, and so the worst value (trec_eval
    does so with -c; without, it leaves the query out and a run gains by silence). Queries without judgements, and
    items without a judgement, are not relevant.
    ties: among equal scores `order` is trec_eval's, by id, largest first; `worst` and `best` as in `ranking.rank`.

    >>> judge({"q": {"a": 0.5, "b": 0.9}}, {"q": {"a": 1.0, "z": 1.0}})[1].rank
    array([ 2., inf])

    Raises:
        ConfigError: `ties` is none of the three.
    """
    if ties not in ("worst", "best", "order"):
        raise ConfigError(f"ties is {ties!r}; choose 'worst', 'best' or 'order'")
    rows = []
    for query, gains in judgements.items():
        wanted = {item: gain for item, gain in gains.items() if gain > 0}
        place = {item: rank for rank, item in enumerate(_sorted(run.get(query, {}), wanted, ties), start=1)}
        rows.append([(place.get(item, np.inf), gain) for item, gain in wanted.items()])
    return tuple(judgements), from_rows(rows)


def _sorted(items: dict[str, float], wanted: dict[str, float], ties: Ties) -> list[str]:
    """Ids, best first."""
    by_id = sorted(items, reverse=True)
    if ties == "order":
        return sorted(by_id, key=lambda item: -items[item])
    sign = 1 if ties == "worst" else -1
    return sorted(by_id, key=lambda item: (-items[item], sign * wanted.get(item, 0.0)))
