"""`index`, `remove`, `migrate`: what changes a collection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from duretrieval.cli.columns import Columns, columns, setting
from duretrieval.cli.limits import limits
from duretrieval.cli.options import HERE, AnyCollectionPath, CollectionPath, Dim, Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.progress import bar, kept
from duretrieval.cli.terminal import err, out

if TYPE_CHECKING:
    from duretrieval.collection import Report
    from duretrieval.collection.collection import Prune
    from duretrieval.types import Item

SHOWN = 5
"""Problems of a data set that are listed."""


def index(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files and folders, or manifests.")],
    collection: AnyCollectionPath = HERE,
    model: Annotated[
        str | None, typer.Option(help="builtin, a folder, clip:ID ... Default: the collection's own.")
    ] = None,
    dim: Dim = None,
    manifest: Annotated[bool, typer.Option("--manifest", help="PATHS are manifests: a row is one item.")] = False,
    column: Columns = None,
    reader: Annotated[
        str | None, typer.Option(help="PATHS are data sets, read as training reads them: youtube8m ...")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="With --reader: a setting of it, such as data.frames=30."),
    ] = None,
    relations: Annotated[
        Path | None, typer.Option(help="A table of item, other and kind, for models that look at neighbours.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what had a problem.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove items under PATHS whose file is gone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --prune: even if that is all of them.")] = False,
    limit: Annotated[list[str] | None, typer.Option(help="Read larger files: max_pixels=400000000")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Decoding processes. Default: one a core.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Add files to a collection. Unchanged files are skipped; an interrupted run goes on where it stopped."""
    if column and not manifest and reader is None:
        raise typer.BadParameter("--column says what the columns of a manifest are; add --manifest")
    if reader is not None and (manifest or prune):
        raise typer.BadParameter("--reader says how PATHS are read, and goes with neither --manifest nor --prune")
    if set_ and reader is None:
        raise typer.BadParameter("--set is a setting of a reader of data sets; add --reader")
    if yes and not prune:
        raise typer.BadParameter("--yes says that all may be removed; add --prune")
    from duretrieval.collection import Collection

    items = _read(paths, reader, [*(set_ or []), *setting(column)]) if reader is not None else []
    removing: Prune = "all" if yes else prune
    with (
        trusting(trust),
        Collection.open(collection, model, dim=dim, limits=limits(limit or [])) as c,
        kept(bar(_total(paths, items, manifest))) as progress,
    ):
        if manifest:
            report = c.add_manifests(
                paths,
                columns=columns(column),
                progress=progress,
                retry=retry,
                prune=removing,
                workers=workers,
                relations=relations,
            )
        elif reader is not None:
            report = c.add(items, progress=progress, retry=retry, workers=workers, relations=relations)
        else:
            report = c.add(paths, progress=progress, retry=retry, prune=removing, workers=workers, relations=relations)
    _print_report(report, collection, json)


def remove(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, or unambiguous beginnings of ids.")] = None,
    collection: CollectionPath = HERE,
    where: Annotated[str | None, typer.Option(help="Remove every item that this filter matches.")] = None,
) -> None:
    """Take items out of a collection. The files themselves are not touched."""
    if not ids and where is None:
        raise typer.BadParameter("give ids, or --where with a filter")
    from duretrieval.collection import Collection

    with Collection.open(collection, create=False, any_model=True) as c:
        gone = c.remove([c.get(id_).id for id_ in ids or []], where=where)
    out.print(f"{gone} removed.")


def migrate(
    model: Annotated[str, typer.Option(help="builtin, a model folder, or a hub's: clip:ID.")],
    dim: Dim = None,
    collection: CollectionPath = HERE,
    workers: Annotated[int | None, typer.Option(min=1, help="Decoding processes. Default: one a core.")] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Encode a whole collection again with another model. The old one answers until the new one is complete."""
    from duretrieval.collection import Collection

    with (
        trusting(trust),
        Collection.open(collection, create=False, any_model=True) as c,
        kept(bar(len(c))) as progress,
    ):
        report = c.migrate(model, dim=dim, progress=progress, workers=workers)
    _print_report(report, collection, json)


def _total(paths: list[Path], items: list[Item], manifest: bool) -> int | None:
    """How many items there will be, where that is known."""
    from duretrieval.collection import sources

    return None if manifest else len(items) or sources.count(paths)


def _read(paths: list[Path], reader: str, changes: list[str]) -> list[Item]:
    """The rows of data sets as items; those that cannot be read are listed, and the others indexed."""
    from duretrieval.cli.training_progress import workbench

    with workbench():
        from duretrieval.training.data.items import items_of
        from duretrieval.training.data.opening import read_data
        from duretrieval.training.recipe.settings import merge, parse
        from duretrieval.training.recipe.toml import to_recipe

    data = replace(to_recipe(merge({}, [parse(change) for change in changes])).data, reader=reader)
    found: list[Item] = []
    for path in paths:
        read = read_data(data, path)
        found += items_of(read.samples, path)
        for problem in read.problems[:SHOWN]:
            err.print(f"note: {problem}")
        if (more := len(read.problems) - SHOWN) > 0:
            err.print(f"note: {more} more have a problem; `duretrieval check --reader {reader}` lists them")
    return found


def _print_report(report: Report, collection: Path, json: bool) -> None:
    counts = {name: getattr(report, name) for name in ("indexed", "failed", "unchanged", "moved", "removed", "parts")}
    if json:
        if report.beside or report.unrelated:
            counts["beside"] = report.beside
        print_json([{**counts, "problems": len(report.problems), "seconds": round(report.seconds, 3)}])
        return
    counts["indexed"] -= report.failed
    words = ", ".join(f"{n} {name}" for name, n in counts.items() if n and name != "parts") or "nothing to do"
    out.print(f"{words}; {report.parts} parts in {report.seconds:.1f} s. Collection: {collection}")
    if report.beside:
        out.print(f"{report.beside:,} {'looks' if report.beside == 1 else 'look'} at neighbours.")
    for said in report.unrelated:
        out.print(f"{said[0].upper()}{said[1:]}.", markup=False, highlight=False)
    if report.problems:
        out.print(f"{len(report.problems)} with a problem: duretrieval stats --problems -c {quote(str(collection))}")
