"""TREC's text files, one line a row, fields apart by white space.

run     query Q0 item rank score tag
qrels   query 0 item gain
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from duretrieval.errors import EvaluationError
from duretrieval.evaluation.runs.rows import Judgements, Run, flat, nested

RUN_FIELDS = "query Q0 item rank score tag"
QRELS_FIELDS = "query 0 item gain"


def read_run(path: Path) -> Run:
    """A run; the rank in the file is not used, as trec_eval does not use it: the score says the order.

    Raises:
        EvaluationError: a line is not of the layout, or an item comes twice; the message names file and line.
    """
    rows = ((where, f[0], f[2], f[4]) for where, f in _lines(path, RUN_FIELDS))
    return nested(rows, "score")


def read_judgements(path: Path) -> Judgements:
    """Judgements from a qrels file.

    Raises:
        EvaluationError: as `read_run`.
    """
    rows = ((where, f[0], f[2], f[3]) for where, f in _lines(path, QRELS_FIELDS))
    return nested(rows, "gain")


def write_run(path: Path, run: Run, tag: str = "duretrieval") -> None:
    """Write a run, best first.

    Raises:
        EvaluationError: an id, or the tag, has white space in it, which this format cannot hold.
    """
    _check(tag, "tag")
    with path.open("w", encoding="utf-8") as file:
        for query, item, rank, score in flat(run, best_first=True):
            file.write(f"{_check(query, 'query')} Q0 {_check(item, 'item')} {rank} {score!r} {tag}\n")


def write_judgements(path: Path, judgements: Judgements) -> None:
    """Write judgements; whole gains as whole numbers, which is all that trec_eval reads.

    Raises:
        EvaluationError: as `write_run`.
    """
    with path.open("w", encoding="utf-8") as file:
        for query, item, _, gain in flat(judgements, best_first=False):
            shown = int(gain) if float(gain).is_integer() else gain
            file.write(f"{_check(query, 'query')} 0 {_check(item, 'item')} {shown}\n")


def _lines(path: Path, layout: str) -> Iterator[tuple[str, list[str]]]:
    fields = len(layout.split())
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                parts = text.split()
                if parts and len(parts) != fields:
                    raise EvaluationError(f"{path}:{line}: {len(parts)} fields, expected {fields}: {layout}")
                if parts:
                    yield f"{path}:{line}", parts
    except UnicodeDecodeError as error:
        raise EvaluationError(f"{path}: not UTF-8 text: {error}") from error


def _check(text: str, what: str) -> str:
    if not text or text.split() != [text]:
        raise EvaluationError(
            f"{what} {text!r} is empty or has white space in it, which this format cannot hold; write .jsonl"
        )
    return text
