"""`judge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from duretrieval.cli.app import CollectionModel, Trust, app
from duretrieval.cli.output import MATCHED, WORDS_SHOWN, out, place, trusting
from duretrieval.collection.collection import Collection
from duretrieval.errors import EvaluationError

if TYPE_CHECKING:
    from duretrieval.evaluation.judging import Question, Sitting

KEYS = "y yes   n no   s skip   u undo   q quit"


@app.command()
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
    """Say of the first results, one by one, whether they are right; `evaluate` measures with what you said."""
    from duretrieval.evaluation.judging import Ledger, Sitting

    asked = [*(queries or []), *(_lines(file) if file else [])]
    if not asked:
        raise typer.BadParameter("give queries, or a file of them with --queries")
    ledger = Ledger(judgements)
    with trusting(trust), Collection.open(collection, model, create=False) as c:
        sitting = Sitting(c, asked, ledger, k)
        try:
            _ask(sitting)
        except (KeyboardInterrupt, EOFError):
            out.print()
    out.print(f"{len(ledger)} judgements in {judgements}", markup=False)
    out.print(f"Measure with: duretrieval evaluate {collection} --data {judgements}", markup=False)


def _ask(sitting: Sitting) -> None:
    last = 0
    while question := sitting.question():
        if question.number != last:
            progress = f"  {question.number}/{question.queries}  {KEYS}"
            out.print(Text(f"\n{question.query}", style="bold").append(progress, style="dim not bold"))
            last = question.number
        _show(question)
        key = typer.getchar().lower()
        out.print(Text(key if key.isprintable() else "", style="bold"))
        match key:
            case "y":
                sitting.answer(1)
            case "n":
                sitting.answer(0)
            case "s":
                sitting.skip()
            case "u":
                if not sitting.undo():
                    out.print("     nothing to undo")
                last = 0
            case "q" | "\x04":
                return
            case "\x03":
                raise KeyboardInterrupt
            case _:
                out.print(f"     {KEYS}")


def _show(question: Question) -> None:
    item, best = question.hit.item, question.hit.evidence[0].part
    line = Text(f"{question.rank:>3}  {MATCHED[best.modality]} {place(best)}  ", style="cyan")
    line.append(str(item.fields.get("name", item.id)), style="bold not dim")
    line.append(f"  {item.source}", style="dim not bold")
    out.print(line)
    if isinstance(best.content, str):
        out.print(Text(f"     {' '.join(best.content.split())[:WORDS_SHOWN]}", style="italic"))
    out.print("     right? ", end="")


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"the queries in {file} cannot be read: {error}; write one a line, in UTF-8") from error
    return [line.strip() for line in lines if line.strip()]
