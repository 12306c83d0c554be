"""JSON lines: one object a row.

run          {"query": "q1", "item": "d7", "score": 0.83}
judgements   {"query": "q1", "item": "d7", "gain": 1}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.runs.rows import flat, nested


def read(path: Path, what: str) -> dict[str, dict[str, float]]:
    """query -> item -> `what`: "score" or "gain"; further keys are left alone.

    Raises:
        EvaluationError: a line is not of the layout, or an item comes twice; the message names file and line.
    """
    return nested(_rows(path, what), what)


def write(path: Path, table: dict[str, dict[str, float]], what: str) -> None:
    """Write rows with the number under `what`; a run's best first."""
    with path.open("w", encoding="utf-8") as file:
        for query, item, _, value in flat(table, best_first=what == "score"):
            file.write(json.dumps({"query": query, "item": item, what: value}, ensure_ascii=False) + "\n")


def _rows(path: Path, what: str) -> Iterator[tuple[str, object, object, object]]:
    for line, raw in enumerate(path.read_bytes().splitlines(), start=1):
        where = f"{path}:{line}"
        if not raw.strip():
            continue
        try:
            row = json.loads(raw.decode("utf-8-sig"))
        except ValueError as error:
            raise EvaluationError(f"{where}: not JSON: {error}") from error
        if not isinstance(row, dict) or not {"query", "item", what} <= row.keys():
            raise EvaluationError(f'{where}: expected an object such as {{"query": "q1", "item": "d7", "{what}": 1}}')
        yield where, row["query"], row["item"], row[what]
