"""Cells of one row to samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media.cells import BadCell, scalar, strings
from duretrieval.media.kinds import modality_of
from duretrieval.media.manifest import paths
from duretrieval.media.tables import Record
from duretrieval.plugins import suggest
from duretrieval.training.data.read import SPLITS, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

Role = Literal[
    "text", "image", "video", "audio", "file", "label", "key", "group", "split", "id", "start", "end", "ignore"
]
ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("text", "texts", "title", "caption", "captions", "description"), "text"),
    **dict.fromkeys(("image", "images"), "image"),
    **dict.fromkeys(("video", "videos"), "video"),
    **dict.fromkeys(("audio", "audios"), "audio"),
    **dict.fromkeys(("file", "files"), "file"),
    **dict.fromkeys(("start", "start_s"), "start"),
    **dict.fromkeys(("end", "end_s"), "end"),
    "id": "id",
    "label": "label",
    "key": "key",
    "group": "group",
    "split": "split",
}
"""What a column is when nothing else is said; every column that is not here is left alone."""
MOST = 1_000
"""Samples from one row: lists in several columns multiply."""
_MEDIA = {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO}


def roles(columns: Mapping[str, str] | None) -> Mapping[str, str]:
    """`ROLES` with the user's own on top.

    Raises:
        ConfigError: a role does not exist.
    """
    if not isinstance(columns, Mapping | None):
        raise ConfigError(f"columns is {columns!r}; it must be a table, such as columns = {{ name = 'text' }}")
    known = list(get_args(Role))
    for column, role in (columns or {}).items():
        if role not in known:
            raise ConfigError(
                f"column '{column}' cannot be {role!r}.{suggest(str(role), known)} The roles are: {', '.join(known)}"
            )
    return {**ROLES, **(columns or {})}


def samples_of(record: Record, folder: Path, roles: Mapping[str, str], default_id: str) -> list[Sample]:
    """The samples of a row: one, or one for each choice where columns hold lists (five captions of a picture).

    Samples from one row have its key, or else its id as their key.  Text and media paths are relative to `folder`.

    Raises:
        BadCell: a cell cannot be used, or no cell holds anything to learn from.
    """
    row = _Row(default_id)
    for column, value in record.cells.items():
        role = roles.get(column, "ignore")
        if role != "ignore" and value is not None and value != "":
            _put(row, column, role, value, record, folder)
    if not row.choices:
        have = ", ".join(map(str, record.cells)) or "none"
        one = next((str(name) for name in record.cells if name not in roles), "name")
        raise BadCell(
            f"it holds no text and names no picture, film or sound; its columns are {have}: say under [data], or with "
            f"--set, what each is: data.columns={{ '{one}' = 'text' }}, or 'image', 'video', 'audio', 'file'"
        )
    if row.start_s is not None and row.end_s is not None and row.start_s >= row.end_s:
        raise BadCell(f"it ends at {row.end_s:g} s, before it starts at {row.start_s:g} s")
    return list(_chosen(row))


@dataclass(slots=True)
class _Row:
    id: str
    choices: dict[str, list[Part]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    start_s: float | None = None
    end_s: float | None = None


def _put(row: _Row, column: str, role: str, value: Any, record: Record, folder: Path) -> None:
    """Note what one cell says."""
    match role:
        case "text":
            if texts := strings(value, column):
                row.choices[column] = [Part(Modality.TEXT, text) for text in texts]
        case "image" | "video" | "audio" | "file":
            if found := paths(value, column, record.listed):
                row.choices[column] = [_file(folder / entry, role, column) for entry in found]
        case "start":
            row.start_s = _seconds(value, column, record.typed)
        case "end":
            row.end_s = _seconds(value, column, record.typed)
        case "id":
            row.id = _one(value, column) or row.id
        case "split":
            said = _one(value, column)
            if (name := split_name(said)) is None:
                raise BadCell(f"column '{column}' holds {said!r}, which is no split; write {', '.join(SPLITS)}")
            row.facts["split"] = name
        case _:
            row.facts[role] = _one(value, column)


def _file(path: Path, role: str, column: str) -> Part:
    if role != "file":
        return Part(_MEDIA[role], path)
    try:
        return Part(modality_of(path), path)
    except MediaError as error:
        raise BadCell(f"column '{column}' names {path}: {error}") from error


def _one(value: Any, column: str) -> str:
    found = strings(value, column)
    if len(found) > 1:
        raise BadCell(f"column '{column}' holds {len(found)} values; give one")
    return found[0].strip() if found else ""


def _seconds(value: Any, column: str, typed: bool) -> float:
    number = scalar(value, column, typed)
    if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
        raise BadCell(f"column '{column}' holds {value!r}; give seconds, 0 or more")
    return float(number)


def _chosen(row: _Row) -> Iterator[Sample]:
    total = 1
    for choice in row.choices.values():
        total *= len(choice)
    if total > MOST:
        raise BadCell(f"its lists make {total:,} combinations, more than {MOST:,}; give some of them rows of their own")
    for number, parts in enumerate(product(*row.choices.values()), 1):
        columns = {
            column: replace(part, start_s=row.start_s, end_s=row.end_s)
            if part.modality in (Modality.VIDEO, Modality.AUDIO)
            else part
            for column, part in zip(row.choices, parts, strict=True)
        }
        yield Sample(
            id=row.id if total == 1 else f"{row.id}#{number}",
            columns=columns,
            label=row.facts.get("label") or None,
            key=row.facts.get("key") or ("" if total == 1 else row.id),
            group=row.facts.get("group", ""),
            split=row.facts.get("split"),
        )
