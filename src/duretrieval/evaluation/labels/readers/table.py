"""CSV with a header and JSON, read so that what is wrong is found where it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from duretrieval.errors import EvaluationError


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """("file:line", row) for each row of a CSV file; further columns are passed on too.

    Raises:
        EvaluationError: a column is missing, or a row has too few fields; the message names file and line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            have = reader.fieldnames or []
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
            raise EvaluationError(f"{path}:{reader.line_num + 1}: not CSV in UTF-8: {error}") from error


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
