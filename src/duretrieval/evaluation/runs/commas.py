"""CSV with a header: query, item and score (a run) or gain (judgements)."""

from __future__ import annotations

import csv
from pathlib import Path

from duretrieval.evaluation.labels.readers import table as reader
from duretrieval.evaluation.runs.rows import flat, nested


def read(path: Path, what: str) -> dict[str, dict[str, float]]:
    """query -> item -> `what`: "score" or "gain"; further columns are left alone.

    Raises:
        EvaluationError: a column is missing, a row is cut short, or an item comes twice; the message names file and
            line.
    """
    found = reader.rows(path, ("query", "item", what))
    return nested(((where, row["query"], row["item"], row[what]) for where, row in found), what)


def write(path: Path, table: dict[str, dict[str, float]], what: str) -> None:
    """Write rows with the number under `what`; a run's best first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("query", "item", what))
        for query, item, _, value in flat(table, best_first=what == "score"):
            writer.writerow((query, item, repr(value)))
