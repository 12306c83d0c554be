"""`evaluate`."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duretrieval.cli.columns import Columns, columns
from duretrieval.cli.options import CollectionModel, Dim, Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.progress import bar
from duretrieval.cli.terminal import err, out
from duretrieval.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from duretrieval.collection.ingest import Report
    from duretrieval.evaluation.evaluated import Evaluated
    from duretrieval.evaluation.request import Request
    from duretrieval.evaluation.result import Side

File = Path | None


def evaluate(
    what: Annotated[
        str,
        typer.Argument(
            help="A collection; a model folder or `builtin`; the folder of a run of training; "
            "a run (TREC, .jsonl, .parquet, .csv); a matrix of similarities (.npy); an earlier result.json."
        ),
    ],
    data: Annotated[
        File,
        typer.Option(
            help="For a model: a manifest of what belongs together. For a collection: judgements. "
            "For a run of training: where its data is now, if it has moved."
        ),
    ] = None,
    column: Columns = None,
    positives: Annotated[
        str,
        typer.Option(help="For a manifest: what rows have in common that belong together: of key, text, file, label."),
    ] = "key,text,file",
    split: Annotated[str, typer.Option(help="For a run of training: its test, val or train rows.")] = "test",
    dim: Dim = None,
    judgements: Annotated[File, typer.Option(help="For a run: what is relevant (qrels, .jsonl, ...).")] = None,
    protocol: Annotated[str | None, typer.Option(help="For a matrix: coco-5k, msrvtt-1k-a, clotho ...")] = None,
    labels: Annotated[File, typer.Option(help="For a matrix: the data set's own label file.")] = None,
    pair: Annotated[str, typer.Option(help="For a run: what asks and what is searched, as text-image.")] = "any-any",
    metric: Annotated[list[str] | None, typer.Option(help="hit@5, ap, ndcg@10 ...; again for more.")] = None,
    queries: Annotated[int, typer.Option(min=1, help="For a collection: how many to ask without labels.")] = 100,
    index: Annotated[
        str | None, typer.Option(help="For a collection: search by exact, faiss or binary, in memory, or store.")
    ] = None,
    model: CollectionModel = None,
    report: Annotated[File, typer.Option(help="Write report.html and result.json into this folder.")] = None,
    lang: Annotated[str, typer.Option(help="The language the report opens in: en or zh.")] = "en",
    against: Annotated[File, typer.Option(help="An earlier result.json: say which differences are real.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 if --against shows a significant loss.")] = False,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Measure how well something finds. For every pair of modalities, with intervals."""
    from duretrieval.cli import evaluation_tables as tables
    from duretrieval.evaluation import comparison, result_json
    from duretrieval.evaluation import report as reports
    from duretrieval.evaluation import request as requests

    if gate and against is None:
        raise typer.BadParameter("--gate needs --against, an earlier result to hold against")
    if lang not in ("en", "zh"):
        raise typer.BadParameter(f"--lang is {lang!r}; there are en and zh")
    request = requests.Request(
        data=data,
        columns=columns(column),
        positives=tuple(name.strip() for name in positives.split(",") if name.strip()),
        split=split,
        dim=dim,
        judgements=judgements,
        protocol=protocol,
        labels=labels,
        metrics=tuple(metric or ()),
        pair=_sides(pair),
        queries=queries,
        index=index,
        model=model,
        command=shlex.join(["duretrieval", *sys.argv[1:]]),
    )
    before = result_json.load(_result(against)) if against else None
    subject = requests.recognise(what)
    encodes = subject in ("model", "training")
    with trusting(trust), bar(None, "encoding") if encodes else nullcontext() as progress:
        found = (
            _of_training(what, request, progress)
            if subject == "training"
            else requests.evaluate(what, request, progress)
        )
    compared = comparison.compare(found.evaluation, before) if before else []
    page = None
    if report:
        page = reports.write_report(
            report,
            found.evaluation,
            closeups=[reports.look(material) for material in found.materials],
            health=found.health,
            compared=compared,
            against=str(against or ""),
            notes=found.notes,
            lang="zh" if lang == "zh" else "en",
        )
    if json:
        print_json(tables.rows(found, compared))
    else:
        tables.show(found, compared)
        if page:
            out.print(f"Report: {page}")
    for note in found.notes:
        err.print(f"note: {note}")
    if gate and comparison.gate(compared):
        err.print(f"gate: {len(comparison.losses(compared))} figures are worse than in {against}, and not by chance")
        raise typer.Exit(1)


def _of_training(what: str, request: Request, progress: Callable[[Report], None] | None) -> Evaluated:
    from duretrieval.training.runs.evaluated import evaluate_run

    return evaluate_run(what, request, progress)


def _result(path: Path) -> Path:
    """A result, or the folder of a report that holds one."""
    found = path / "result.json" if path.is_dir() else path
    if not found.is_file():
        raise EvaluationError(f"there is no result at {path}; --report DIR writes DIR/result.json")
    return found


def _sides(typed: str) -> tuple[Side, Side]:
    from duretrieval.evaluation.result import side
    from duretrieval.types import MEDIA

    names = [*(m.value for m in MEDIA), "any"]
    parts = typed.split("-")
    if len(parts) != 2 or not set(parts) <= set(names):
        raise typer.BadParameter(f"--pair is {typed!r}; write two of {', '.join(names)}, as in text-image")
    return side(parts[0]), side(parts[1])
