"""How far a run is, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import typer

from duretrieval.cli.terminal import err

if TYPE_CHECKING:
    from duretrieval.collection import Report

Told = Callable[["Report"], None]
"""What is told how far a run is."""


@contextmanager
def bar(total: int | None, doing: str = "indexing") -> Iterator[Told]:
    """Progress on a terminal; total: None where it is not known."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

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
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total, rate="-", problems="")

        def show(report: Report) -> None:
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            problems = f"{len(report.problems)} problems" if report.problems else ""
            progress.update(task, completed=report.seen, rate=f"{speed:.0f}" if speed else "-", problems=problems)

        yield show


@contextmanager
def kept(told: AbstractContextManager[Told]) -> Iterator[Told]:
    """As `told`; when a person stops the run, say how many items of it are stored."""
    last: list[Report] = []

    try:
        with told as show:

            def watched(report: Report) -> None:
                last[:] = [report]
                show(report)

            yield watched
    except KeyboardInterrupt:
        n = sum(report.indexed + report.moved for report in last)
        err.print(f"Interrupted: {n} kept; run again to go on.")
        raise typer.Exit(130) from None
