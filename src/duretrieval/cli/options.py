"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from duretrieval.cli import home
from duretrieval.cli.terminal import err

CollectionPath = Annotated[
    Path,
    typer.Option(
        "-c",
        "--collection",
        envvar="DURETRIEVAL_COLLECTION",
        callback=home.to_read,
        help="The collection's folder. Default: .duretrieval here or in a folder above, else the user's own.",
    ),
]
"""Of a collection that is there."""
AnyCollectionPath = Annotated[
    Path,
    typer.Option(
        "-c",
        "--collection",
        envvar="DURETRIEVAL_COLLECTION",
        callback=home.to_make,
        help="The collection's folder. Default: the one a search here would ask, else a new .duretrieval here.",
    ),
]
"""Of a collection that is there, or that may be made."""
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
CollectionModel = Annotated[
    str | None,
    typer.Option("--model", help="The collection's model, where it is not as recorded: a folder, clip:ID ..."),
]
Dim = Annotated[
    int | None,
    typer.Option(min=1, help="Shorter vectors, of a model that may be cut to so many dimensions. Default: whole ones."),
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Run Python code that stored files name. Only where you know who made them.")
]
HERE = home.HERE


@contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """For `--trust`: follow paths to code in stored files, and say so."""
    from duretrieval import plugins

    if trust:
        err.print("--trust: Python code that the model's or run's files name is run, with all your rights.")
    with plugins.trusting(trust):
        yield
