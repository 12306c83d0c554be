"""Read and write by the file's name: `.jsonl`, `.parquet`, `.csv`, and everything else as TREC's text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from duretrieval import whole
from duretrieval.evaluation.runs import commas, jsonl, parquet, trec
from duretrieval.evaluation.runs.rows import Judgements, Run

TABLES = {".jsonl": jsonl, ".parquet": parquet, ".csv": commas}


def read_run(path: str | Path) -> Run:
    """query -> item -> score.

    Raises:
        EvaluationError: the file is not what its name says; the message names file and line.
    """
    path = Path(path)
    table = TABLES.get(path.suffix.lower())
    return table.read(path, "score") if table else trec.read_run(path)


def read_judgements(path: str | Path) -> Judgements:
    """query -> item -> gain.

    Raises:
        EvaluationError: the file is not what its name says; the message names file and line.
    """
    path = Path(path)
    table = TABLES.get(path.suffix.lower())
    return table.read(path, "gain") if table else trec.read_judgements(path)


def write_run(path: str | Path, run: Run) -> None:
    """Write a run, best first.

    Raises:
        EvaluationError: TREC's text cannot hold an id with white space.
    """
    _write(path, run, "score", trec.write_run)


def write_judgements(path: str | Path, judgements: Judgements) -> None:
    """Write judgements.

    Raises:
        EvaluationError: TREC's text cannot hold an id with white space.
    """
    _write(path, judgements, "gain", trec.write_judgements)


def _write(path: str | Path, held: Run, value: str, as_trec: Callable[[Path, Run], None]) -> None:
    """A table where the name says so, in which `value` heads the numbers; TREC's text else."""
    table = TABLES.get(Path(path).suffix.lower())
    with whole.file(Path(path)) as written:
        if table:
            table.write(written, held, value)
        else:
            as_trec(written, held)
