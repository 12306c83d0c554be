"""A manifest as a labelled data set: what shares a row belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.labels.together import MATCH, USUAL, Together, bonds, check_positives, thing
from duretrieval.media.folders import digest
from duretrieval.media.manifest import Content, read_manifest
from duretrieval.media.roles import FACTS, Role
from duretrieval.types import Item, Modality, Part

ROW_PROBLEMS = 3
"""Shown by name; the others are counted."""
UNUSED: tuple[Role, ...] = (*FACTS, "name", "field")
"""Roles of columns that say nothing of what belongs together."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Files and texts, each once however many rows name it, and which of them belong together."""

    units: tuple[Item, ...]
    """An item for each file and each different text; `source` is the file, or empty."""
    wanted: tuple[Modality | None, ...]
    """(units,) what the column of each holds; None: whatever its file turns out to hold."""
    together: Together
    """Which units are right for one another, by place in `units`."""
    hash: str
    """Of all texts and all files' contents, in order."""
    notes: tuple[str, ...]
    graded: Mapping[str, Sequence[tuple[int, int, float]]]
    """What two columns of a row hold, by place in `units`, with the row's score: "sentence1-sentence2" -> its rows."""


def read_labelled(
    path: str | Path, columns: Mapping[str, str] | None = None, positives: Sequence[str] = USUAL
) -> Labelled:
    """Read a manifest, as `media.manifest.read_manifest` does.

    Every text is a text of its own: several captions of one picture are a list, several columns, or several rows.
    positives: what rows have in common that belong together, as in training.  Negatives are found, and right for
    nothing; so is what a row gives a score below `MATCH`.

    Raises:
        ConfigError: it is no manifest, or nothing in `POSITIVES` is called so.
        EvaluationError: no row names two things.
    """
    path = Path(path)
    check_positives(positives)
    place: dict[Hashable, tuple[int, int, Content]] = {}
    pairs: list[tuple[int, tuple[Hashable, ...]]] = []
    problems: list[str] = []
    graded: dict[str, list[tuple[int, int, float]]] = {}

    def unit(content: Content, row: int) -> int:
        known = (content.modality, thing(content.value, positives, row))
        return place.setdefault(known, (len(place), row, content))[0]

    for row in read_manifest(path, columns):
        if problem := row.problem_without(UNUSED):
            problems.append(problem)
        texts_first = sorted(row.contents, key=lambda content: isinstance(content.value, Path))
        binding = bonds(row.number, row.facts.get("key", ""), row.facts.get("label"), positives)
        apart = float(row.facts.get("score", 1)) < MATCH
        held = [unit(content, row.number) for content in texts_first]
        if "score" in row.facts:
            for (a, one), (b, other) in combinations(zip(texts_first, held, strict=True), 2):
                if a.column != b.column:
                    graded.setdefault(f"{a.column}-{b.column}", []).append((one, other, float(row.facts["score"])))
        pairs += [(one, (("alone", row.number, one),) if apart else binding) for one in held]
        pairs += [(one := unit(wrong, row.number), (("negative", one),)) for wrong in row.negatives]
    held_by: dict[Hashable, set[int]] = {}
    for one, some in pairs:
        for bond in some:
            held_by.setdefault(bond, set()).add(one)
    if not graded and not any(len(units) > 1 for units in held_by.values()):
        raise EvaluationError(
            f"{path}: no row names two things that belong together, such as a file and a text, so nothing can be "
            "searched with the other. Columns called text or caption, image, video, audio or file are known; say what "
            "others are with --column NAME=text or NAME=file"
        )
    notes = [f"{path}: {problem}" for problem in problems[:ROW_PROBLEMS]]
    if len(problems) > ROW_PROBLEMS:
        notes.append(f"{path}: {len(problems) - ROW_PROBLEMS} more rows have a problem")
    items = tuple(_unit(*found) for found in place.values())
    wanted = tuple(content.modality for _, _, content in place.values())
    return Labelled(items, wanted, Together.of(pairs, len(items)), _hash(items), tuple(notes), graded)


def _unit(number: int, row: int, content: Content) -> Item:
    part = Part(content.modality or Modality.IMAGE, content.value)  # of a file, decoding tells which
    if isinstance(content.value, np.ndarray):
        said = f"the {part.modality.value} vector of line {row}"
        return Item(id=str(number), source="", parts=(part,), fields={"name": said})
    return Item(id=str(number), source=str(content.value) if isinstance(content.value, Path) else "", parts=(part,))


def _hash(units: Sequence[Item]) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for unit in units:
        if not unit.source:
            held = unit.parts[0].content
            content = held.tobytes().hex() if isinstance(held, np.ndarray) else str(held)
        else:
            content = digest(Path(unit.source)) if Path(unit.source).is_file() else "missing"
        whole.update(f"{content}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
