"""`show`, `stats`, `verify`: what is in a collection, and whether it is sound."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from duretrieval.cli.options import HERE, CollectionModel, CollectionPath, Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.paths import near
from duretrieval.cli.rows import MATCHED, cut, one_line, place
from duretrieval.cli.terminal import out
from duretrieval.plain import item_dict, part_dict

if TYPE_CHECKING:
    from rich.table import Table

    from duretrieval.collection import Collection
    from duretrieval.types import Part

PARTS_SHOWN = 10
WORDS_SHOWN = 200
"""Parts of an item that `show` lists, and columns of the words of each; `--all` has everything."""


def show(
    id: Annotated[str, typer.Argument(help="An item's id, or an unambiguous beginning of it.")],
    collection: CollectionPath = HERE,
    every: Annotated[bool, typer.Option("--all", help="Every part, with all of its words.")] = False,
    json: Json = False,
) -> None:
    """Show everything known about an item."""
    from duretrieval.collection import Collection

    with Collection.open(collection, create=False, any_model=True) as c:
        item = c.get(id)
    if json:
        print_json([{**item_dict(item), "parts": [part_dict(part) for part in item.parts]}])
        return
    table = _table()
    for name, value in [("id", item.id), ("source", item.source), *sorted(item.fields.items())]:
        table.add_row(name, str(value))
    if item.problem:
        table.add_row("problem", item.problem, style="yellow")
    listed = item.parts if every or len(item.parts) <= PARTS_SHOWN + 1 else item.parts[:PARTS_SHOWN]
    for part in listed:
        table.add_row(MATCHED[part.modality], _part(part, None if every else WORDS_SHOWN))
    out.print(table)
    if rest := Counter(MATCHED[part.modality] for part in item.parts[len(listed) :]):
        kinds = ", ".join(f"{n} {name}" for name, n in rest.items())
        out.print(f"... and {rest.total()} more parts ({kinds}); --all shows every part")


def stats(
    collection: CollectionPath = HERE,
    problems: Annotated[bool, typer.Option("--problems", help="List every file that cannot be used, and why.")] = False,
    json: Json = False,
) -> None:
    """Count what is in a collection."""
    from duretrieval.collection import Collection

    with Collection.open(collection, create=False, any_model=True) as c:
        if problems:
            _print_problems(c, json)
            return
        stats = c.stats()
    if json:
        print_json([stats.as_dict()])
        return
    table = _table()
    for name, value in stats.as_dict().items():
        text = ", ".join(f"{n} {key}" for key, n in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), text)
    out.print(table)


def verify(
    collection: CollectionPath = HERE,
    repair: Annotated[bool, typer.Option("--repair", help="Index again what has a fault.")] = False,
    model: CollectionModel = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Check the model's files, every vector and every source. Exit code 1 when something is wrong."""
    from duretrieval.collection import Collection

    with trusting(trust), Collection.open(collection, model, create=False) as c:
        faults = c.repair() if repair else c.verify()
    if json:
        print_json({"subject": fault.subject, "problem": fault.problem} for fault in faults)
    else:
        for fault in faults:
            out.print(f"{fault.subject}  {fault.problem}")
        out.print(f"{len(faults)} faults{' left' if repair else ''}." if faults else "No faults.")
    raise typer.Exit(1 if faults else 0)


def _table() -> Table:
    """Names, and what they stand for."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table


def _part(part: Part, width: int | None) -> str:
    """Where a part is, the file it came from, and its words; width: columns of words, or None for all."""
    words = cut(one_line(part.content), width) if isinstance(part.content, str) else ""
    return " ".join(filter(None, (place(part), near(part.file or ""), words))) or "the whole"


def _print_problems(c: Collection, json: bool) -> None:
    if json:
        print_json({"source": item.source, "problem": item.problem} for item in c.problems())
        return
    n = 0
    for n, item in enumerate(c.problems(), start=1):  # noqa: B007  (n is the count after the loop)
        out.print(near(item.source))
        out.print(f"  {item.problem}")
    out.print(f"{n} with a problem." if n else "No problems.")
