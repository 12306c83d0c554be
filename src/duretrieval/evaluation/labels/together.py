"""What is right: the one meaning of it, in losses, samplers, mining, checks of training and in `evaluate`.

A thing is a text or a file, once however many rows hold it.  A row binds its things together, and so do its key and its
label, where they are to.  Two things are right for one another where they have a bond in common.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from duretrieval.duplicates.union_find import UnionFind
from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.relevance import Relevant, relevant
from duretrieval.plugins import suggest
from duretrieval.types import Ints, Positive

POSITIVES: tuple[Positive, ...] = get_args(Positive)
USUAL: tuple[Positive, ...] = ("key", "text", "file")
"""Beside the row itself, which always counts."""
MATCH = 0.5
"""The score from which on the things of a row belong together; a row without a score says that they do."""
_ENDS = " .。．｡!！"


def check_positives(names: Sequence[str]) -> None:
    """Raises ConfigError where one of the names is none of `POSITIVES`."""
    for name in names:
        if name not in POSITIVES:
            raise ConfigError(
                f"positives names {name!r}.{suggest(str(name), list(POSITIVES))} What may make things belong together, "
                f"beside the row they share, is: {', '.join(POSITIVES)}"
            )


def folded(text: str) -> str:
    """A text as texts are compared: width, case, blanks and a full stop make no difference.

    folded("A  Bus.") == "a bus"; "C++" and "C#" stay two.
    """
    said = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return said.rstrip(_ENDS) or said


def thing(content: object, positives: Sequence[str], row: Hashable) -> Hashable:
    """By what a content is known again: the text, the file, the array; where that shall not count, by its row too."""
    if isinstance(content, str):
        return ("text", folded(content)) if "text" in positives else ("text", content, row)
    if isinstance(content, np.ndarray):
        content = hashlib.blake2b(np.ascontiguousarray(content).tobytes(), digest_size=16).hexdigest()
    known = ("file", str(content) if isinstance(content, Path) else content)
    return known if "file" in positives else (*known, row)


def bonds(
    row: Hashable, key: str = "", label: str | None = None, positives: Sequence[str] = USUAL
) -> tuple[Hashable, ...]:
    """What binds the things of a row: its key, or itself, and its label."""
    found: list[Hashable] = [("key", key) if key and "key" in positives else ("row", row)]
    if label is not None and "label" in positives:
        found.append(("label", label))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Which things belong together: those that have a bond in common."""

    bonds: Ints
    """(m,) numbers of bonds, thing after thing; sorted, and each once, within a thing."""
    starts: Ints
    """(things + 1,): thing i has bonds[starts[i] : starts[i + 1]]."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, Iterable[Hashable]]], things: int) -> Together:
        """From (thing, bonds), a pair for each time that a row holds a thing."""
        number: dict[Hashable, int] = {}
        held: list[set[int]] = [set() for _ in range(things)]
        for one, names in pairs:
            held[one].update(number.setdefault(name, len(number)) for name in names)
        found = [sorted(marks) for marks in held]
        return cls(
            np.array([mark for marks in found for mark in marks], dtype=np.int64),
            np.concatenate([[0], np.cumsum([len(marks) for marks in found])]).astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def right(self, asking: Sequence[int] | Ints, among: Sequence[int] | Ints) -> Right:
        """For each thing that asks, the places in `among` of those that it belongs together with."""
        return Right(self, [int(one) for one in asking], [int(one) for one in among])

    def clusters(self) -> Ints:
        """(things,) a number for each: equal where bonds link them, however indirectly."""
        sets, first = UnionFind(len(self)), dict[int, int]()
        for one in range(len(self)):
            for bond in self.of_thing(one):
                sets.join(first.setdefault(bond, one), one)
        return np.array([sets.root(one) for one in range(len(self))], dtype=np.int64)

    def of_thing(self, one: int) -> list[int]:
        """The numbers of its bonds."""
        marks: list[int] = self.bonds[self.starts[one] : self.starts[one + 1]].tolist()
        return marks


class Right:
    """For each thing that asks, the places among others of what is right for it; a `Relevance`, found as it is asked.

    Of classes with very many members all places together would take the square of their number.
    """

    def __init__(self, together: Together, asking: Sequence[int], among: Sequence[int]) -> None:
        self._together, self._asking = together, asking
        self._holders: dict[int, list[int]] = {}
        for place, one in enumerate(among):
            for mark in together.of_thing(one):
                self._holders.setdefault(mark, []).append(place)

    def __len__(self) -> int:
        return len(self._asking)

    def __getitem__(self, i: int) -> list[int]:
        """The places for the i-th that asks, in order."""
        marks = self._together.of_thing(self._asking[i])
        return sorted({place for mark in marks for place in self._holders.get(mark, ())})

    def any(self) -> list[int]:
        """Which ask for something that is there."""
        return [
            i for i, one in enumerate(self._asking) if not self._holders.keys().isdisjoint(self._together.of_thing(one))
        ]

    def only(self, which: Sequence[int]) -> Right:
        """The same for some of those that ask."""
        found = Right(self._together, [self._asking[i] for i in which], ())
        found._holders = self._holders
        return found

    def rows(self, start: int, stop: int) -> Relevant:
        """Those of the queries from `start` up to `stop`."""
        return relevant([self[i] for i in range(start, min(stop, len(self)))])
