"""`show`, `stats`, `verify`: what is in a collection, and whether it is sound."""

from __future__ import annotations

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from duretrieval.cli.app import HERE, CollectionPath, Json, app
from duretrieval.cli.output import item_dict, out, part_dict, place, print_json
from duretrieval.collection import upkeep
from duretrieval.collection.collection import Collection


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="An item's id, or an unambiguous beginning of it.")],
    collection: CollectionPath = HERE,
    json: Json = False,
) -> None:
    """Show everything known about an item."""
    with Collection.open(collection, create=False) as c:
        item = c.get(id)
    if json:
        print_json([{**item_dict(item), "parts": [part_dict(part) for part in item.parts]}])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in [("id", item.id), ("source", item.source), *sorted(item.fields.items())]:
        table.add_row(name, str(value))
    if item.problem:
        table.add_row("problem", item.problem, style="yellow")
    for part in item.parts:
        words = part.content if isinstance(part.content, str) else ""
        table.add_row(part.modality.value, f"{place(part)} {part.file or ''} {words}".strip() or "the whole")
    out.print(table)


@app.command()
def stats(
    collection: CollectionPath = HERE,
    problems: Annotated[bool, typer.Option("--problems", help="List every file that cannot be used, and why.")] = False,
    json: Json = False,
) -> None:
    """Count what is in a collection."""
    with Collection.open(collection, create=False, any_model=True) as c:
        if problems:
            _print_problems(c, json)
            return
        stats = c.stats()
    if json:
        print_json([stats.as_dict()])
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    for name, value in stats.as_dict().items():
        shown = ", ".join(f"{n} {key}" for key, n in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), shown)
    out.print(table)


@app.command()
def verify(
    collection: CollectionPath = HERE,
    repair: Annotated[bool, typer.Option("--repair", help="Drop damaged files; index again what has a fault.")] = False,
    json: Json = False,
) -> None:
    """Check every file, vector and source of a collection; exit code 1 when something is wrong."""
    faults = Collection.repair_at(collection) if repair else upkeep.verify(collection)
    if json:
        print_json({"subject": fault.subject, "problem": fault.problem} for fault in faults)
    else:
        for fault in faults:
            out.print(f"{fault.subject}  {fault.problem}", markup=False)
        out.print(f"{len(faults)} faults{' left' if repair else ''}." if faults else "No faults.")
    raise typer.Exit(1 if faults else 0)


def _print_problems(c: Collection, json: bool) -> None:
    if json:
        print_json({"source": item.source, "problem": item.problem} for item in c.problems())
        return
    n = 0
    for n, item in enumerate(c.problems(), start=1):  # noqa: B007  (n is the count after the loop)
        out.print(f"{item.source}\n  {item.problem}", markup=False)
    out.print(f"{n} with a problem." if n else "No problems.")
