"""Parquet with the columns query, item and score (a run) or gain (judgements)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.runs.rows import flat, nested


def read(path: Path, what: str) -> dict[str, dict[str, float]]:
    """query -> item -> `what`: "score" or "gain"; further columns are left alone.

    Raises:
        EvaluationError: not Parquet, a column is missing, or an item comes twice; the message names file and row.
    """
    return nested(_rows(path, what), what)


def write(path: Path, table: dict[str, dict[str, float]], what: str) -> None:
    """Write rows with the number under `what`; a run's best first."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(flat(table, best_first=what == "score"))
    columns = {
        "query": pa.array([row[0] for row in rows], pa.string()),
        "item": pa.array([row[1] for row in rows], pa.string()),
        what: pa.array([row[3] for row in rows], pa.float64()),
    }
    parquet.write_table(pa.table(columns), path)


def _rows(path: Path, what: str) -> Iterator[tuple[str, object, object, object]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = [name for name in ("query", "item", what) if name not in names]
            if missing:
                raise EvaluationError(f"{path}: no column {', '.join(missing)}; it has {', '.join(names)}")
            row = 0
            for batch in file.iter_batches(columns=["query", "item", what]):
                for values in zip(*(batch.column(name).to_pylist() for name in ("query", "item", what)), strict=True):
                    row += 1
                    yield f"{path}, row {row}", *values
    except pa.ArrowInvalid as error:
        raise EvaluationError(f"{path} is not a Parquet file: {error}") from error
