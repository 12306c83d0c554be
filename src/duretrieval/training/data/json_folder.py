"""A folder of one JSON file per sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BadCell
from duretrieval.media.charset import to_text
from duretrieval.media.manifest import Row, row_of
from duretrieval.media.roles import Roles
from duretrieval.media.tables import Record
from duretrieval.training.data.read import Problem, Read
from duretrieval.training.data.rows import held_by, samples_of
from duretrieval.training.data.sample import Sample


def read_json_folder(path: Path | str, columns: Mapping[str, str] | None = None) -> Read:
    """Every `*.json` at or below a folder, in order of name, as one row: {"image": "1.jpg", "text": "a red bus"}.

    Columns and cells are those of `read_manifest`.  Paths are relative to the folder of the JSON file; an id that is
    not given is the file's own path in the folder, without its suffix.

    Raises:
        ConfigError: it is no folder, there is no JSON file in it, a role does not exist, or no file has a column of
            `columns`.
    """
    folder = Path(path)
    roles = Roles(columns)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder; a file of many rows is read by the reader 'manifest'")
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise ConfigError(f"{folder}: there is no .json file in it")
    samples: list[Sample] = []
    problems: list[Problem] = []
    there: dict[str, None] = {}
    rows: dict[Path, Row] = {}
    for file in files:
        try:
            record = Record(1, _object(file))
        except (BadCell, OSError) as error:
            problems.append(Problem(file, None, str(error)))
            continue
        there.update(dict.fromkeys(record.cells))
        rows[file] = row_of(record, file, roles)
    held = held_by(rows.values())
    for file, row in rows.items():
        found, faults = samples_of(row, held, file.relative_to(folder).with_suffix("").as_posix())
        samples.extend(found)
        problems.extend(replace(fault, file=file, line=None) for fault in faults)
    roles.check(there, str(folder))
    return Read(tuple(samples), tuple(problems))


def _object(file: Path) -> Mapping[str, object]:
    try:
        value = json.loads(to_text(file.read_bytes()))
    except ValueError as error:
        raise BadCell(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadCell(f"it is not an object in {{}} but a {type(value).__name__}; give each sample a file of its own")
    return value
