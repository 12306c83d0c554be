"""CSV with a header and JSON, read so that what is wrong is found where it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from duretrieval.errors import EvaluationError
from duretrieval.media.cells import normal
from duretrieval.media.tables import delimiter_of


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """("file:line", row) for each row of a CSV file with commas, semicolons or tabs; further columns are passed on too.

    Headings are compared as those of a manifest are: `Query` is `query`.

    Raises:
        EvaluationError: a column is missing, or a row has too few fields; the message names file and line.
    """
    named = {normal(column): column for column in columns}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = None
        try:
            delimiter = delimiter_of(file.readline())
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter)
            have = [named.get(normal(name), name) for name in reader.fieldnames or []]
            reader.fieldnames = have
            missing = [column for column in columns if column not in have]
            if missing:
                raise EvaluationError(
                    f"{path}:1: no column {', '.join(missing)}; this layout has {', '.join(columns)}, the file "
                    f"{', '.join(have) or 'nothing'}"
                )
            for row in reader:
                where = f"{path}:{reader.line_num}"
                short = [column for column in columns if row[column] is None]
                if short:
                    raise EvaluationError(f"{where}: the row ends before {short[0]}; is a comma or a quote missing?")
                yield where, row
        except (csv.Error, UnicodeDecodeError) as error:
            line = reader.line_num + 1 if reader else 1
            raise EvaluationError(f"{path}:{line}: not CSV in UTF-8: {error}") from error


def load_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        EvaluationError: not JSON; the message names file and line.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise EvaluationError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path}: not UTF-8: {error}") from error
