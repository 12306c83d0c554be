"""`mine`: hard negatives as data."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from duretrieval.cli.columns import Columns, setting
from duretrieval.cli.options import Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.terminal import out
from duretrieval.cli.training_progress import Stages, interruptible, workbench


def mine(
    model: Annotated[str, typer.Argument(help="What looks for them: a run's folder, a model folder, or builtin.")],
    data: Annotated[Path, typer.Option("--data", help="The rows: a manifest, or what --reader reads.")],
    out_: Annotated[Path, typer.Option("--out", help="Where the rows go, as JSON lines with a column of negatives.")],
    ask: Annotated[str | None, typer.Option(help="The column that asks. Default: the first of two.")] = None,
    among: Annotated[str | None, typer.Option(help="The column they come from. Default: the second of two.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many a row, at most.")] = 5,
    skip: Annotated[int, typer.Option(min=0, help="How many of the nearest are passed over.")] = 1,
    margin: Annotated[
        float | None, typer.Option(help="How much less near than the row's own, as a share: 0.05. Default: any.")
    ] = None,
    positives: Annotated[
        str, typer.Option(help="What rows have in common that belong together: of key, text, file, label.")
    ] = "key,text,file",
    reader: Annotated[str, typer.Option(help="How the rows are read.")] = "manifest",
    column: Columns = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where vectors are kept. Default: the user's cache folder.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Write the rows with hard negatives: what a model finds near each, and what does not belong to it."""
    with workbench():
        from duretrieval.training.recipe.settings import merge, parse
        from duretrieval.training.recipe.toml import to_recipe
        from duretrieval.training.runs.mined import write_negatives

    names = [name.strip() for name in positives.split(",") if name.strip()]
    table = merge({"data": {"reader": reader, "positives": names}}, [parse(change) for change in setting(column)])
    with trusting(trust), Stages() as stages, interruptible():
        found = write_negatives(
            model,
            data,
            out_,
            settings=to_recipe(table).data,
            ask=ask,
            among=among,
            count=count,
            skip=skip,
            margin=margin,
            cache=cache,
            progress=stages.show,
        )
    said = "".join(f" --column {shlex.quote(f'{name}={role}')}" for name, role in found.columns.items())
    again = f"duretrieval train RECIPE --data {shlex.quote(str(out_))}{said}"
    if json:
        counts = {"rows": found.rows, "having": found.having, "negatives": found.negatives, "problems": found.problems}
        print_json([{**counts, "ask": found.ask, "among": found.among, "columns": dict(found.columns)}])
        return
    out.print(f"{found.having} of {found.rows} rows have {found.negatives} negatives ({found.ask} asks {found.among}).")
    if found.problems:
        out.print(f"{found.problems} things could not be read: duretrieval check {shlex.quote(str(data))}")
    out.print(f"Next: {again}")
