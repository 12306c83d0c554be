"""Every command, and what is the same for each of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from duretrieval import __version__
from duretrieval.cli.doctor import doctor
from duretrieval.cli.evaluating import evaluate
from duretrieval.cli.indexing import index, migrate, remove
from duretrieval.cli.inspecting import show, stats, verify
from duretrieval.cli.judging import judge
from duretrieval.cli.mining import mine
from duretrieval.cli.searching import search
from duretrieval.cli.terminal import err, out
from duretrieval.cli.training import check, export, recipes, train, tune

WrongUsage: Any = typer.BadParameter.__base__
"""Every error of a command line, wherever this version of typer keeps it."""


class Commands(TyperGroup):
    """All commands: what is the same for each of them."""

    def invoke(self, ctx: Any) -> Any:
        """Run one. Ctrl-C is said, where the command has not said it itself."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            err.print("Interrupted.")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    help="Find anything with anything: text, pictures, films and sounds in one search, offline.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def say_usage(error: Any) -> int:
    """Say what is wrong with a command line, and how it is used; the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        for line in error.format_message().splitlines():
            err.print(line)
    else:
        command = error.ctx.command_path if error.ctx else "duretrieval"
        err.print(f"error: {error.format_message()}")
        err.print(f"How it is used: {command} --help")
    return int(error.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"duretrieval {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


for _command in (
    doctor,
    evaluate,
    index,
    judge,
    migrate,
    recipes,
    remove,
    search,
    show,
    stats,
    verify,
    check,
    export,
    mine,
    train,
    tune,
):
    app.command()(_command)
