"""Rows of a manifest to samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

from duretrieval.errors import MediaError
from duretrieval.media.cells import BadCell
from duretrieval.media.holding import modalities_of
from duretrieval.media.manifest import Content, Row
from duretrieval.media.roles import FACTS
from duretrieval.training.data.read import SPLITS, Problem, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

MOST = 1_000
"""Samples from one row: lists in several columns multiply."""
UNUSED = ("name", "field")
"""Roles of columns that nothing is learned from."""


Held = Mapping[Path, Modality | MediaError]
"""What files hold, or why that cannot be said."""


def held_by(rows: Iterable[Row]) -> Held:
    """What the files of columns hold that leave it open, all asked at once."""
    contents = [c for row in rows for c in (*row.contents, *row.negatives) if c.modality is None]
    return modalities_of(content.value for content in contents if isinstance(content.value, Path))


def samples_of(row: Row, held: Held, default_id: str = "") -> tuple[list[Sample], list[Problem]]:
    """The samples of a row: one, or one for each choice where columns hold lists (five captions of a picture).

    held: as `held_by` says.  Samples from one row have its key, or else its id as their key.  A cell of text or files
    that cannot be used is a problem and the sample lacks it; a row whose label, key, group, split or times cannot be
    used gives none, since it would be another row without them.
    """
    faults = [fault for fault in row.faults if fault.role not in UNUSED]
    problems = [Problem(row.manifest, row.number, fault.reason) for fault in faults]
    samples: list[Sample] = []
    if row.contents and not any(fault.role in FACTS for fault in faults):
        try:
            choices, negatives = (_choices(row, some, held, problems) for some in (row.contents, row.negatives))
            samples = list(_chosen(row, choices, negatives, row.given or default_id))
        except BadCell as error:
            problems.append(Problem(row.manifest, row.number, str(error)))
    return samples, [replace(problem, used=bool(samples)) for problem in problems]


def _choices(row: Row, contents: Iterable[Content], held: Held, problems: list[Problem]) -> dict[str, list[Part]]:
    """column -> its parts; files that nobody can read go to the problems."""
    found: dict[str, list[Part]] = {}
    for content in contents:
        try:
            found.setdefault(content.column, []).append(_part(content, held))
        except MediaError as error:
            said = f"column '{content.column}' names {content.value}: {error}"
            problems.append(Problem(row.manifest, row.number, said))
    return {column: parts for column, parts in found.items() if parts}


def _part(content: Content, held: Held) -> Part:
    if content.modality is not None:
        return Part(content.modality, content.value)
    assert isinstance(content.value, Path)  # a text and a vector have their modality
    found = held[content.value]
    if isinstance(found, MediaError):
        raise found
    return Part(found, content.value)


def _chosen(row: Row, choices: dict[str, list[Part]], negatives: dict[str, list[Part]], id: str) -> Iterator[Sample]:
    total = math.prod(map(len, choices.values()))
    if not choices:
        return
    if total > MOST:
        raise BadCell(f"its lists make {total:,} combinations, more than {MOST:,}; give some of them rows of their own")
    start_s, end_s = _seconds(row, "start"), _seconds(row, "end")
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise BadCell(f"it ends at {end_s:g} s, before it starts at {start_s:g} s")
    split = row.facts.get("split")
    if split is not None and split_name(split) is None:
        raise BadCell(f"its split is {split!r}, which is no split; write {', '.join(SPLITS)}")
    for number, parts in enumerate(product(*choices.values()), 1):
        timed = [
            replace(part, start_s=start_s, end_s=end_s) if part.modality in (Modality.VIDEO, Modality.AUDIO) else part
            for part in parts
        ]
        yield Sample(
            id=id if total == 1 else f"{id}#{number}",
            columns=dict(zip(choices, timed, strict=True)),
            label=row.facts.get("label"),
            key=row.facts.get("key") or ("" if total == 1 else id),
            row="" if total == 1 else id,
            group=row.facts.get("group", ""),
            split=None if split is None else split_name(split),
            negatives={column: tuple(parts) for column, parts in negatives.items()},
            score=float(row.facts["score"]) if "score" in row.facts else None,
            related=row.related,
        )


def _seconds(row: Row, role: str) -> float | None:
    said = row.facts.get(role)
    if said is None:
        return None
    try:
        number = float(said)
    except ValueError:
        number = -1
    if not 0 <= number < math.inf:
        raise BadCell(f"its {role} is {said!r}; give seconds, 0 or more")
    return number
