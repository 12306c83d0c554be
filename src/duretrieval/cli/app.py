"""Every command, with the options they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Find anything with anything: text, pictures, films and sounds in one search, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CollectionPath = Annotated[
    Path, typer.Option("-c", "--collection", envvar="DURETRIEVAL_COLLECTION", help="The collection's folder.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
CollectionModel = Annotated[
    str | None,
    typer.Option("--model", help="The collection's model, where it is not as recorded: a folder, clip:ID ..."),
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Run Python code that stored files name. Only where you know who made them.")
]
HERE = Path(".duretrieval")

from duretrieval.cli import doctor, evaluating, indexing, inspecting, judging, searching, training  # noqa: E402, F401  (they register their commands)
