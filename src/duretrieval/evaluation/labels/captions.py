"""Things and the sentences that describe them: what every caption data set comes down to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duretrieval.errors import EvaluationError
from duretrieval.types import Modality


@dataclass(frozen=True, slots=True)
class Captions:
    """A split of a data set: n items and c captions, each of one item."""

    name: str
    modality: Modality
    """Of the items."""
    items: tuple[str, ...]
    """(n,) file names, as the data set has them."""
    item_ids: tuple[str, ...]
    """(n,) ids that judgements use."""
    texts: tuple[str, ...]
    """(c,)"""
    text_ids: tuple[str, ...]
    """(c,)"""
    item: tuple[int, ...]
    """(c,) the row in `items` of each caption's item."""


def gather(name: str, modality: Modality, rows: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> Captions:
    """Captions from (file, id, [(text id, text), ...]) for each item, in order.

    >>> gather("two", Modality.IMAGE, [("a.jpg", "1", [("10", "a cat"), ("11", "cats")]), ("b.jpg", "2", [])]).item
    (0, 0)

    Raises:
        EvaluationError: two items, or two captions, have one id; or there are none.
    """
    if not rows:
        raise EvaluationError(f"{name} has no items; is it the right split?")
    flat = [(row, identity, text) for row, (_, _, texts) in enumerate(rows) for identity, text in texts]
    for what, ids in (("items", [row[1] for row in rows]), ("captions", [identity for _, identity, _ in flat])):
        if len(set(ids)) != len(ids):
            twice = next(identity for identity in ids if ids.count(identity) > 1)
            raise EvaluationError(f"{name}: two {what} have the id {twice!r}; remove one of them")
    return Captions(
        name=name,
        modality=modality,
        items=tuple(row[0] for row in rows),
        item_ids=tuple(row[1] for row in rows),
        texts=tuple(text for _, _, text in flat),
        text_ids=tuple(identity for _, identity, _ in flat),
        item=tuple(row for row, _, _ in flat),
    )
