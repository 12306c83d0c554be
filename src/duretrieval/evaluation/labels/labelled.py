"""A manifest as a labelled data set: what shares a row belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duretrieval.duplicates.union_find import UnionFind
from duretrieval.errors import EvaluationError
from duretrieval.media.folders import digest
from duretrieval.media.manifest import read_manifest
from duretrieval.media.roles import FACTS, Role
from duretrieval.types import Ints, Item, Modality, Part

ROW_PROBLEMS = 3
"""Shown by name; the others are counted."""
UNUSED: tuple[Role, ...] = (*FACTS, "name", "field")
"""Roles of columns that say nothing of what belongs together."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Files and texts, each once however many rows name it, and the rows they share."""

    units: tuple[Item, ...]
    """An item for each file and each different text; `source` is the file, or empty."""
    wanted: tuple[Modality | None, ...]
    """(units,) what the column of each holds; None: whatever its file turns out to hold."""
    rows: tuple[tuple[int, ...], ...]
    """Units of each row, or of all rows with one key, by place in `units`."""
    hash: str
    """Of all texts and all files' contents, in order."""
    notes: tuple[str, ...]

    def together(self) -> dict[int, set[int]]:
        """unit -> the units it shares a row with."""
        found: dict[int, set[int]] = {}
        for row in self.rows:
            for unit in row:
                found.setdefault(unit, set()).update(row)
        return found

    def clusters(self) -> Ints:
        """(units,) a number for each: equal where rows link them, however indirectly."""
        import numpy as np

        sets = UnionFind(len(self.units))
        for row in self.rows:
            for unit in row[1:]:
                sets.join(row[0], unit)
        return np.array([sets.root(unit) for unit in range(len(self.units))], dtype=np.int64)


def read_labelled(path: str | Path, columns: Mapping[str, str] | None = None) -> Labelled:
    """Read a manifest, as `media.manifest.read_manifest` does.

    Every text is a text of its own: several captions of one picture are a list, several columns, or several rows.
    Rows with one key belong together, as they do in training.

    Raises:
        ConfigError: it is no manifest.
        EvaluationError: no row names two things.
    """
    path = Path(path)
    place: dict[tuple[Modality | None, str | Path], int] = {}
    rows: dict[str | int, dict[int, None]] = {}
    problems: list[str] = []
    for row in read_manifest(path, columns):
        if problem := row.problem_without(UNUSED):
            problems.append(problem)
        texts_first = sorted(row.contents, key=lambda content: isinstance(content.value, Path))
        units = [place.setdefault((content.modality, content.value), len(place)) for content in texts_first]
        rows.setdefault(row.facts.get("key", row.number), {}).update(dict.fromkeys(units))
    if not any(len(row) > 1 for row in rows.values()):
        raise EvaluationError(
            f"{path}: no row names two things that belong together, such as a file and a text, so nothing can be "
            "searched with the other. Columns called text or caption, image, video, audio or file are known; say what "
            "others are with --column NAME=text or NAME=file"
        )
    notes = [f"{path}: {problem}" for problem in problems[:ROW_PROBLEMS]]
    if len(problems) > ROW_PROBLEMS:
        notes.append(f"{path}: {len(problems) - ROW_PROBLEMS} more rows have a problem")
    items = tuple(_unit(number, value) for number, (_, value) in enumerate(place))
    return Labelled(
        items, tuple(modality for modality, _ in place), tuple(map(tuple, rows.values())), _hash(items), tuple(notes)
    )


def _unit(number: int, value: str | Path) -> Item:
    modality = Modality.TEXT if isinstance(value, str) else Modality.IMAGE  # of a file, decoding tells which
    return Item(id=str(number), source="" if isinstance(value, str) else str(value), parts=(Part(modality, value),))


def _hash(units: Sequence[Item]) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for unit in units:
        if not unit.source:
            content = str(unit.parts[0].content)
        else:
            content = digest(Path(unit.source)) if Path(unit.source).is_file() else "missing"
        whole.update(f"{content}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
