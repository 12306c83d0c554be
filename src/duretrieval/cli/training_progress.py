"""What a person sees while something trains; all of it on standard error."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from duretrieval.cli.terminal import err
from duretrieval.errors import MissingExtra

if TYPE_CHECKING:
    from rich.progress import Progress

SILENT = 10.0
"""Seconds without a word, at most, where no bar can be drawn."""


@contextmanager
def workbench() -> Iterator[None]:
    """For the imports of a command.

    Raises:
        MissingExtra: what training needs is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "duretrieval":
            raise
        raise MissingExtra(f"training needs {error.name}: pip install 'duretrieval[train]'") from error


@contextmanager
def interruptible(option: str = "") -> Iterator[None]:
    """Ctrl-C says how to go on; exit code 130. Lightning makes it an exit of its own, which is recognised."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        how = f" with {option}" if option else ""
        err.print(f"Interrupted. Every check so far is stored; run the same command again{how} to go on.")
        raise typer.Exit(130) from None


class Stages(io.TextIOBase):
    """A bar for each stage that has one, a line when it is done; where no bar can be drawn, lines in between.

    It is also where a library's own words to standard output go: to standard error.
    """

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._stage = ""
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def show(self, stage: str, done: int, total: int) -> None:
        """How far a stage is; a column's name while its rows are encoded."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None or stage != self._stage:
            self._stop()
            named = TextColumn("{task.description}", markup=False)
            columns = (named, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
            self._stage = stage
            self._bar.add_task(stage, total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done)
        if done >= total:
            self._stop()
            err.print(f"{stage}: {total} done")
        elif not err.is_terminal and time.monotonic() - self._said > SILENT:
            self._said = time.monotonic()
            err.print(f"{stage}: {done} of {total}")

    def check(self, monitor: str) -> Callable[[int, float], None]:
        """A line a check, where no bar can be drawn."""
        from duretrieval.cli.training_tables import figure

        def told(epoch: int, value: float) -> None:
            err.print(f"check {epoch + 1}: {figure(monitor, value)}")

        return told

    def write(self, text: str) -> int:
        """To standard error."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Standard error, too."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """As standard error."""
        return sys.stderr.isatty()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
