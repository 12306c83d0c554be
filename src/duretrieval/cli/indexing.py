"""`index`, `remove`, `migrate`: what changes a collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from duretrieval.cli.app import HERE, CollectionPath, Json, Trust, app
from duretrieval.cli.columns import Columns, columns
from duretrieval.cli.limits import limits
from duretrieval.cli.output import err, out, print_json, trusting
from duretrieval.collection import sources
from duretrieval.collection.collection import Collection, Report


@app.command()
def index(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files and folders, or manifests.")],
    collection: CollectionPath = HERE,
    model: Annotated[
        str | None, typer.Option(help="builtin, a folder, clip:ID ... Default: the collection's own.")
    ] = None,
    manifest: Annotated[bool, typer.Option("--manifest", help="PATHS are manifests: a row is one item.")] = False,
    column: Columns = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what had a problem.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove items under PATHS whose file is gone.")] = False,
    limit: Annotated[list[str] | None, typer.Option(help="Read larger files: max_pixels=400000000")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Decoding processes. Default: one a core.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Add files to a collection. Unchanged files are skipped; an interrupted run goes on where it stopped."""
    if column and not manifest:
        raise typer.BadParameter("--column says what the columns of a manifest are; add --manifest")
    with (
        trusting(trust),
        Collection.open(collection, model, limits=limits(limit or [])) as c,
        bar(None if manifest else sources.count(paths)) as progress,
    ):
        if manifest:
            report = c.add_manifests(
                paths, columns=columns(column), progress=progress, retry=retry, prune=prune, workers=workers
            )
        else:
            report = c.add(paths, progress=progress, retry=retry, prune=prune, workers=workers)
    _print_report(report, collection, json)


@app.command()
def remove(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, or unambiguous beginnings of ids.")] = None,
    collection: CollectionPath = HERE,
    where: Annotated[str | None, typer.Option(help="Remove every item that this filter matches.")] = None,
) -> None:
    """Take items out of a collection. The files themselves are not touched."""
    if not ids and where is None:
        raise typer.BadParameter("give ids, or --where with a filter")
    with Collection.open(collection, create=False, any_model=True) as c:
        gone = c.remove([c.get(id_).id for id_ in ids or []], where=where)
    out.print(f"{gone} removed.")


@app.command()
def migrate(
    model: Annotated[str, typer.Option(help="builtin, a model folder, or a hub's: clip:ID.")],
    collection: CollectionPath = HERE,
    workers: Annotated[int | None, typer.Option(min=1, help="Decoding processes. Default: one a core.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Encode a whole collection again with another model. The old one answers until the new one is complete."""
    with trusting(trust), Collection.open(collection, create=False, any_model=True) as c, bar(len(c)) as progress:
        report = c.migrate(model, progress=progress, workers=workers)
    _print_report(report, collection, json)


@contextmanager
def bar(total: int | None, doing: str = "indexing") -> Iterator[Callable[[Report], None]]:
    """Progress on standard error; total: None where it is not known."""
    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[yellow]{task.fields[problems]}"),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=total, rate="-", problems="")

        def show(report: Report) -> None:
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            problems = f"{len(report.problems)} problems" if report.problems else ""
            progress.update(task, completed=report.seen, rate=f"{speed:.0f}" if speed else "-", problems=problems)

        yield show


def _print_report(report: Report, collection: Path, json: bool) -> None:
    counts = {name: getattr(report, name) for name in ("indexed", "unchanged", "moved", "removed", "parts")}
    if json:
        print_json([{**counts, "problems": len(report.problems), "seconds": round(report.seconds, 3)}])
        return
    words = ", ".join(f"{n} {name}" for name, n in counts.items() if n and name != "parts") or "nothing to do"
    out.print(f"{words}; {report.parts} parts in {report.seconds:.1f} s. Collection: {collection}")
    if report.problems:
        out.print(f"{len(report.problems)} with a problem: duretrieval stats --problems -c {collection}")
