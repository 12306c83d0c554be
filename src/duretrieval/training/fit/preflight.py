"""Whether the rows hold anything to learn from, and to judge by: said before hours are spent, not after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from duretrieval.errors import ConfigError
from duretrieval.training.build.objective import LossTerm, TotalLoss
from duretrieval.training.data.batches import Rows
from duretrieval.training.recipe.monitor import CLASSES, GRADED, LOSS
from duretrieval.training.recipe.recipe import alone

BLOCK = 256
"""Rows looked at at a time."""
Views = Mapping[str, Sequence[str]]
"""Columns of each view, by its name."""


def check_learnable(objective: TotalLoss, views: Views, rows: Rows) -> None:
    """Raises ConfigError where no loss has anything to compare in the training rows."""
    if not any(_learns(term, views, rows) for term in objective.terms):
        have = ", ".join(f"{name} {int(_present(rows, columns).sum())}" for name, columns in views.items())
        raise ConfigError(
            f"there is nothing to learn in the {len(rows)} training rows, of which have {have}: a loss compares two "
            "views where at least 2 rows have both that do not belong together, or learns labels or scores of rows, or "
            "from a teacher"
        )


def check_measurable(monitor: str, objective: TotalLoss, views: Views, rows: Rows) -> None:
    """Raises ConfigError where the validation rows have no figure that decides which check is the best."""
    if monitor in CLASSES:
        there = any(t.classifier is not None for t in objective.terms) and bool((rows.labels >= 0).any())
        wanted = "a loss of classes, and rows with labels that training rows have"
    elif monitor in GRADED:
        there = any(int((_both(rows, views, pair) & _scored(rows)).sum()) > 1 for pair in combinations(views, 2))
        wanted = "2 rows that have two views and a score"
    else:
        there = monitor == LOSS or any(int(_both(rows, views, pair).sum()) > 1 for pair in combinations(views, 2))
        there |= any(int(_present(rows, columns).sum()) > 1 for columns in alone(views.values()).values())
        wanted = "2 rows that have two views"
    if not there:
        raise ConfigError(
            f"{monitor!r} cannot be measured on the {len(rows)} validation rows; it needs {wanted}. Give fit.monitor "
            "another metric, or more validation rows"
        )


def _learns(term: LossTerm, views: Views, rows: Rows) -> bool:
    if term.reads == "labels":
        return bool((rows.labels >= 0).any())
    if term.reads.startswith("teacher") and rows.taught is not None:
        return True
    pairs = [term.views] if term.views else list(combinations(views, 2))
    return any(_learns_pair(term, views, rows, pair) for pair in pairs)


def _learns_pair(term: LossTerm, views: Views, rows: Rows, pair: tuple[str, str]) -> bool:
    both = _both(rows, views, pair)[: len(rows)]
    if term.reads in ("pairs", "teacher"):
        return rows.scores is not None and bool((both & ~rows.scores[: len(rows)].isnan()).any())
    there = (both & rows.linked[: len(rows)]).nonzero().flatten()
    if term.reads == "rows" or len(there) < 2:
        return len(there) > 1
    return any(not rows.positives.same(pair[0], some, pair[1], there).all() for some in torch.split(there, BLOCK))


def _both(rows: Rows, views: Views, pair: tuple[str, str]) -> Tensor:
    """(n,) bool"""
    return _present(rows, views[pair[0]]) & _present(rows, views[pair[1]])


def _scored(rows: Rows) -> Tensor:
    """(n,) bool"""
    return torch.zeros(rows.total, dtype=torch.bool) if rows.scores is None else ~rows.scores.isnan()


def _present(rows: Rows, columns: Sequence[str]) -> Tensor:
    """(n,) bool: any of the columns."""
    return torch.stack([torch.from_numpy(rows.columns[name].present) for name in columns]).any(dim=0)
