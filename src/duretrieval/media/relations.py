"""Relations between items: who is beside whom, in a table of (item, other, kind) or in the rows themselves."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BLANK, BadCell, listed, normal, one, string
from duretrieval.media.tables import Record, headings, records

RELATED = "related"
"""The kind of a relation that says none; and the field in which a collection keeps those of a row."""
BACK = " (back)"
"""What follows the name of a directed kind where it is seen from its other end."""
SHOWN = 3
_ITEM = ("item", "from", "source", "id")
_OTHER = ("other", "to", "target", "related")
_KIND = ("kind", "relation", "type")


@dataclass(frozen=True, slots=True)
class Relation:
    """`item` is related to `other`: ids."""

    item: str
    other: str
    kind: str = RELATED


@dataclass(frozen=True, slots=True)
class Found:
    """What a file of relations says."""

    relations: tuple[Relation, ...]
    problems: tuple[str, ...] = ()
    """A sentence for each line that cannot be used."""


def read_relations(path: str | Path) -> Found:
    """A JSONL, CSV or Parquet table with the columns `item` and `other`, ids, and maybe `kind`.

    Also called from and to, or source and target, and relation.  In JSONL and Parquet `other` may be a list.

    Raises:
        ConfigError: it cannot be opened, is no table, or lacks a column.
    """
    path = Path(path)
    there = headings(path, (*_ITEM, *_OTHER, *_KIND))
    known = {normal(name) for name in there}
    if not known & set(_ITEM) or not known & set(_OTHER):
        raise ConfigError(
            f"the relations in {path} have the columns {', '.join(there) or 'none'}; they need `item` and `other`, ids "
            "of rows, and may have `kind` (in CSV the first line names them)"
        )
    found: list[Relation] = []
    problems: list[str] = []
    for record in records(path):
        try:
            if record.problem:
                raise BadCell(record.problem)
            found.extend(_relations(record))
        except BadCell as error:
            said = str(error)
            problems.append(f"{path}: {said if said.startswith('line') else f'line {record.line}: {said}'}")
    return Found(tuple(found), tuple(problems))


def _relations(record: Record) -> Iterator[Relation]:
    cells = {normal(str(name)): value for name, value in record.cells.items()}
    item, other, kind = (_cell(cells, names) for names in (_ITEM, _OTHER, _KIND))
    named = one(item[1], item[0])
    others = [text for entry in listed(other[1]) if (text := _id(entry, other[0]))]
    said = one(kind[1], kind[0])
    if named is None or not _id(named, item[0]) or not others:
        raise BadCell(f"a relation names two items, and this one lacks `{other[0] if named else item[0]}`")
    for text in others:
        yield Relation(_id(named, item[0]), text, (said is not None and _id(said, kind[0])) or RELATED)


def _cell(cells: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    return next(((name, cells[name]) for name in names if name in cells), (names[0], None))


def _id(value: Any, column: str) -> str:
    return string(value, column).strip(BLANK)


def written(related: Iterable[tuple[str, str]]) -> str:
    """(kind, id) of what a row is related to, as a field can hold it."""
    return json.dumps([list(pair) for pair in related], ensure_ascii=False)


def of_field(item: str, text: Any) -> list[Relation]:
    """What `written` wrote, as relations of `item`; none where it is something else."""
    try:
        pairs = json.loads(text) if isinstance(text, str) and text.startswith("[[") else []
        return [Relation(item, str(other), str(kind)) for kind, other in pairs]
    except (ValueError, TypeError):
        return []


def kinds_of(relations: Iterable[Relation], directed: Sequence[str] = ()) -> tuple[str, ...]:
    """The kinds of neighbours: each of the relations' by its name, and those of directed ones from both ends.

    kinds_of([Relation("a", "b", "cites")], ["cites"]) == ("cites", "cites (back)")

    Raises:
        ConfigError: no relation is of a kind that is said to be directed.
    """
    names = sorted({relation.kind for relation in relations})
    for kind in directed:
        if kind not in names:
            raise ConfigError(
                f"directed names a kind {kind!r}, and no relation is of it; there are: {', '.join(names) or 'none'}"
            )
    return tuple(end for name in names for end in ([name, name + BACK] if name in directed else [name]))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of each item those beside it, each with the number of its kind, and once."""

    around: Mapping[str, Sequence[tuple[str, int]]]
    unknown: tuple[str, ...] = ()
    """Ids that relations name and no item has, in order of appearance."""
    selves: tuple[str, ...] = ()
    """Items that are related to themselves, which says nothing."""
    strange: Mapping[str, int] = field(default_factory=dict)
    """Kinds that are none of the known ones, and how many relations are of each."""

    @classmethod
    def of(cls, relations: Iterable[Relation], kinds: Sequence[str], items: Iterable[str]) -> Neighbours:
        """kinds: as `kinds_of` gives them; what is directed is there with `BACK`.  items: the ids that there are."""
        number = {kind: place for place, kind in enumerate(kinds)}
        there = set(items)
        around: dict[str, dict[tuple[str, int], None]] = {}
        unknown: dict[str, None] = {}
        selves: dict[str, None] = {}
        strange: Counter[str] = Counter()
        for relation in relations:
            lost = [id_ for id_ in (relation.item, relation.other) if id_ not in there]
            if lost:
                unknown |= dict.fromkeys(lost)
            elif relation.item == relation.other:
                selves[relation.item] = None
            elif relation.kind not in number:
                strange[relation.kind] += 1
            else:
                forth = number[relation.kind]
                around.setdefault(relation.item, {})[relation.other, forth] = None
                around.setdefault(relation.other, {})[relation.item, number.get(relation.kind + BACK, forth)] = None
        return cls({id_: list(beside) for id_, beside in around.items()}, (*unknown,), (*selves,), strange)

    def of_item(self, item: str, most: int | None = None) -> list[tuple[str, int]]:
        """At most so many neighbours, of more the same ones each time: their order follows from the ids alone."""
        return sorted(self.around.get(item, ()), key=lambda one: _drawn(item, *one))[:most]

    def problems(self) -> list[str]:
        """What of the relations is not used, in sentences."""
        said = []
        if self.unknown:
            are = "id of a relation is" if len(self.unknown) == 1 else "ids of relations are"
            said.append(f"{len(self.unknown):,} {are} of no item, such as {_few(self.unknown)}; nothing is beside them")
        if self.selves:
            said.append(f"relations of an item with itself say nothing and are left out: {_few(self.selves)}")
        if self.strange:
            n = sum(self.strange.values())
            are = "relation is" if n == 1 else "relations are"
            said.append(f"{n:,} {are} of a kind that the model has not learned: {_few([*self.strange])}; left out")
        return said


def _drawn(item: str, other: str, kind: int) -> bytes:
    return hashlib.blake2b(f"{item}\0{other}\0{kind}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more
