"""`judge`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from duretrieval.cli.options import CollectionModel, Trust, trusting
from duretrieval.cli.paths import near
from duretrieval.cli.rows import GAP, hit_lines
from duretrieval.cli.terminal import out, shown
from duretrieval.errors import EvaluationError

if TYPE_CHECKING:
    from duretrieval.evaluation.judging import JudgingSession, Question

KEYS = "y yes   n no   s skip   u undo   q quit"


def judge(
    collection: Annotated[Path, typer.Argument(help="The collection's folder.")],
    queries: Annotated[list[str] | None, typer.Argument(help="Words, or files to search with.")] = None,
    file: Annotated[Path | None, typer.Option("--queries", help="A file of queries, one a line.")] = None,
    judgements: Annotated[
        Path, typer.Option("-o", "--judgements", help="Where judgements are kept; they go on where they stopped.")
    ] = Path("judgements.jsonl"),
    k: Annotated[int, typer.Option("-k", min=1, help="Results to judge for each query.")] = 10,
    model: CollectionModel = None,
    trust: Trust = False,
) -> None:
    """Say of results whether they are right. `evaluate` measures with what you said."""
    asked = [*(queries or []), *(_lines(file) if file else [])]
    if not asked:
        raise typer.BadParameter("give queries, or a file of them with --queries")
    if not at_a_terminal():
        raise EvaluationError("judge asks for a key after each result, and there is no terminal to press it at")
    from duretrieval.collection import Collection
    from duretrieval.evaluation.judging import JudgementFile, JudgingSession

    judged = JudgementFile(judgements)
    with trusting(trust), Collection.open(collection, model, create=False) as c:
        session = JudgingSession(c, asked, judged, k)
        try:
            _ask(session, c.short)
        except (KeyboardInterrupt, EOFError):
            out.print()
    out.print(f"{len(judged)} judgements in {near(judgements)}")
    again = shlex.join(["duretrieval", "evaluate", str(collection), "--data", str(judgements)])
    out.print(f"Measure with: {again}")


def _ask(session: JudgingSession, short: Callable[[str], str]) -> None:
    last = 0
    while question := session.question():
        if question.number != last:
            progress = f"  {question.number}/{question.queries}  {KEYS}"
            out.print()
            out.print(Text(shown(question.query), style="bold").append(progress, style="dim not bold"))
            last = question.number
        _show(question, short)
        key = typer.getchar().lower()
        out.print(Text(key if key.isprintable() else "", style="bold"))
        match key:
            case "y":
                session.answer(1)
            case "n":
                session.answer(0)
            case "s":
                session.skip()
            case "u":
                if not session.undo():
                    out.print("     nothing to undo")
                last = 0
            case "q" | "\x04":
                return
            case "\x03":
                raise KeyboardInterrupt
            case _:
                out.print(f"     {KEYS}")


def _show(question: Question, short: Callable[[str], str]) -> None:
    lead = Text(f"{question.rank:>3}{GAP}", style="dim")
    for line in hit_lines(question.hit, short(question.hit.item.id), lead, out.columns):
        out.print(line)
    out.print("     right? ", end="")


def at_a_terminal() -> bool:
    """Whether keys come from a person."""
    return sys.stdin is not None and sys.stdin.isatty()


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"the queries in {file} cannot be read: {error}; write one a line, in UTF-8") from error
    return [line.strip() for line in lines if line.strip()]
