"""The rows that every format has, query, item and number, and what may not be in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from duretrieval.errors import EvaluationError

Run = dict[str, dict[str, float]]
"""query -> item -> score, larger is better."""
Judgements = dict[str, dict[str, float]]
"""query -> item -> gain."""


def nested(rows: Iterable[tuple[str, object, object, object]], what: str) -> dict[str, dict[str, float]]:
    """query -> item -> number from (where, query, item, number), as they were read.

    Raises:
        EvaluationError: a query or item has no id, a query has an item twice, or a number is none or NaN; the message
            says where.
    """
    out: dict[str, dict[str, float]] = {}
    for where, *ids, read in rows:
        query, item = (_identity(given, where) for given in ids)
        number = _number(read, where, what)
        items = out.setdefault(query, {})
        if item in items:
            raise EvaluationError(f"{where}: query {query!r} has item {item!r} a second time; keep one line of the two")
        if math.isnan(number):
            raise EvaluationError(f"{where}: the {what} of {item!r} for query {query!r} is not a number (NaN)")
        items[item] = number
    return out


def flat(table: Mapping[str, Mapping[str, float]], *, best_first: bool) -> Iterator[tuple[str, str, int, float]]:
    """(query, item, rank from 1, number); a query's items by falling number, equal ones by id, or as they come."""
    for query, items in table.items():
        order = sorted(items.items(), key=lambda pair: (-pair[1], pair[0])) if best_first else list(items.items())
        for rank, (item, number) in enumerate(order, start=1):
            yield query, item, rank, number


def _identity(given: object, where: str) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise EvaluationError(f"{where}: query and item are ids, text or a number; {given!r} is none")
    return str(given)


def _number(text: object, where: str, what: str) -> float:
    try:
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            raise ValueError
        return float(text)
    except (ValueError, OverflowError):
        raise EvaluationError(f"{where}: {what} is {text!r}; it must be a number") from None
