"""What the columns of a manifest are, as typed: `文字=text`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

FILES = ("image", "video", "audio")
"""What a recipe tells apart; here a file is known by its content."""

Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="NAME=ROLE", help="What a column of a manifest is: 文字=text, 图片=file."),
]


def columns(typed: Sequence[str] | None) -> dict[str, str]:
    """["文字=text", "图片=image"] -> {"文字": "text", "图片": "file"}; the roles are those of `media.manifest`."""
    found = {}
    for one in typed or ():
        name, equals, role = one.rpartition("=")
        if not equals or not name:
            raise typer.BadParameter(f"--column is {one!r}; write NAME=ROLE, such as 文字=text or 图片=file")
        found[name] = "file" if role in FILES else role
    return found
