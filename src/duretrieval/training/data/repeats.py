"""What several rows hold: said before training, since a loss and a figure have to know what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duretrieval.evaluation.labels.together import USUAL, bonds, thing
from duretrieval.training.data.sample import Sample


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many rows a relation of things concerns."""

    columns: dict[str, int]
    """column -> rows whose text or file another row has too, with no key or label in common: positives of one another
    where `positives` says so, negatives where it does not."""
    contrary: tuple[str, ...]
    """Ids of rows that have one thing among their negatives and as their own."""


def repeats(samples: Sequence[Sample], positives: Sequence[str] = USUAL) -> Repeats:
    """Count them, by content whatever `positives` says of text and file."""
    known = ("text", "file")
    binding = [
        frozenset(bonds(sample.row or row, sample.key, sample.label, positives)) for row, sample in enumerate(samples)
    ]
    counts: dict[str, int] = {}
    for column in dict.fromkeys(name for sample in samples for name in sample.columns):
        held: dict[object, list[int]] = {}
        for row, sample in enumerate(samples):
            if column in sample.columns:
                held.setdefault(thing(sample.columns[column].content, known, row), []).append(row)
        several = [rows for rows in held.values() if len(rows) > 1]
        if found := sum(len(rows) for rows in several if not frozenset.intersection(*(binding[row] for row in rows))):
            counts[column] = found
    contrary = tuple(sample.id for row, sample in enumerate(samples) if _contrary(sample, row))
    return Repeats(counts, contrary)


def _contrary(sample: Sample, row: int) -> bool:
    known = ("text", "file")
    return any(
        column in sample.columns
        and thing(part.content, known, row) == thing(sample.columns[column].content, known, row)
        for column, parts in sample.negatives.items()
        for part in parts
    )
