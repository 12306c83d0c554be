"""A manifest as a labelled data set: what shares a row belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from duretrieval.duplicates.union_find import UnionFind
from duretrieval.errors import EvaluationError
from duretrieval.media.folders import digest
from duretrieval.media.manifest import read_manifest
from duretrieval.types import Ints, Item, Modality, Part

ROW_PROBLEMS = 3
"""Shown by name; the others are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Files and texts, each once however many rows name it, and the rows they share."""

    units: tuple[Item, ...]
    """An item for each file and each different text; `source` is the file, or empty."""
    rows: tuple[tuple[int, ...], ...]
    """Units of each row, by place in `units`."""
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

    Every text column is a text of its own; several captions of one picture are several rows, or several columns.

    Raises:
        ConfigError: it is no manifest.
        EvaluationError: no row names two things.
    """
    path = Path(path)
    place: dict[tuple[str, str], int] = {}
    units: list[Item] = []
    rows: list[tuple[int, ...]] = []
    problems: list[str] = []
    for row in read_manifest(path, columns):
        if row.problem:
            problems.append(row.problem)
        named = [("text", text) for text in row.texts.values()] + [("file", str(file)) for file in row.files]
        for kind, value in named:
            if (kind, value) not in place:
                place[kind, value] = len(units)
                units.append(_unit(len(units), kind, value))
        rows.append(tuple(dict.fromkeys(place[key] for key in named)))
    if not any(len(row) > 1 for row in rows):
        raise EvaluationError(
            f"{path}: no row names two things that belong together, such as a file and a text, so nothing can be "
            "searched with the other. Columns called text or caption, image, video, audio or file are known; say what "
            "others are with --column NAME=text or NAME=file"
        )
    notes = [f"{path}: {problem}" for problem in problems[:ROW_PROBLEMS]]
    if len(problems) > ROW_PROBLEMS:
        notes.append(f"{path}: {len(problems) - ROW_PROBLEMS} more rows cannot be used")
    return Labelled(tuple(units), tuple(rows), _hash(units), tuple(notes))


def _unit(number: int, kind: str, value: str) -> Item:
    part = Part(Modality.TEXT, value) if kind == "text" else Part(Modality.IMAGE, Path(value))  # decoding tells which
    return Item(id=str(number), source=value if kind == "file" else "", parts=(part,))


def _hash(units: list[Item]) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for unit in units:
        if not unit.source:
            content = str(unit.parts[0].content)
        else:
            content = digest(Path(unit.source)) if Path(unit.source).is_file() else "missing"
        whole.update(f"{content}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
