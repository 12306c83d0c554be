"""What the columns of a manifest are, as typed: `文字=text`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

ROLES = (
    "id, name, text, image, video, audio, file, vector, label, key, group, split, start, end, score, negative, "
    "related, field, ignore"
)
"""Those of `media.roles`, which a command line that is only read need not import."""

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=ROLE",
        help=f"What a column of a manifest is: 文字=text,图片=image. The roles: {ROLES}.",
    ),
]
_SAID = re.compile(r"\s*(.+?)\s*=\s*([^=,，、;；]*?)\s*(?:[,，、;；]|$)")


def columns(typed: Sequence[str] | None) -> dict[str, str]:
    """["文字=text,图片=image", "货号=id"] -> {"文字": "text", "图片": "image", "货号": "id"}; names may hold commas."""
    found: dict[str, str] = {}
    for name, role in (said for option in typed or () for said in _apart(option)):
        if found.setdefault(name, role) != role:
            raise typer.BadParameter(f"--column says that '{name}' is {found[name]} and {role}; say one of them")
    return found


def setting(typed: Sequence[str] | None) -> list[str]:
    """The same as a change of a recipe: data.columns={"文字" = "text"}, or none."""
    found: Mapping[str, str] = columns(typed)
    written = ", ".join(f"{_quoted(name)} = {_quoted(role)}" for name, role in found.items())
    return [f"data.columns={{ {written} }}"] if found else []


def _apart(option: str) -> Iterator[tuple[str, str]]:
    at = 0
    while said := _SAID.match(option, at):
        yield said[1], said[2]
        at = said.end()
    if at == 0 or at < len(option):
        raise typer.BadParameter(f"--column is {option!r}; write NAME=ROLE, such as 文字=text or 图片=image")


def _quoted(text: str) -> str:
    """A string of TOML."""
    return '"' + "".join(f"\\u{ord(c):04X}" if c in '"\\' or ord(c) < 32 else c for c in text) + '"'
