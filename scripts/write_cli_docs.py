"""Write docs/commands.md from the program's own help, so that the two cannot disagree. `--check` only compares."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(COLUMNS="100", TERM="dumb", NO_COLOR="1")

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Made by `scripts/write_cli_docs.py` from `duretrieval --help`; edit the program, not this page.

Exit codes: 0 done; 1 the request could not be met, `verify` or `doctor` found faults, or `evaluate --gate` found a
significant loss; 2 the command line itself is wrong; 130 interrupted. Results go to standard output, progress and
errors to standard error.

`duretrieval --version` says which version this is; `duretrieval --install-completion` completes commands with Tab.
"""


def page() -> str:
    from typer.main import get_command

    from duretrieval.cli.app import app

    commands = sorted(get_command(app).commands.items())  # type: ignore[attr-defined]
    return "\n".join([HEAD, *(section(name, command) for name, command in commands)])


def section(name: str, command: Any) -> str:
    rows = [
        f"| `{spelled(parameter)}` | {(parameter.help or '').replace('|', '/')} | {default(parameter)} |"
        for parameter in command.params
        if parameter.name != "help"
    ]
    head = [f"## duretrieval {name}", "", command.help.strip(), "", "| option | meaning | default |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def spelled(parameter: Any) -> str:
    return parameter.name.upper() if parameter.param_type_name == "argument" else ", ".join(parameter.opts)


def default(parameter: Any) -> str:
    value = parameter.default
    return "" if value in (None, False, ()) or callable(value) else f"`{value}`"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is out of date: make docs")
    PAGE.write_text(page(), encoding="utf-8")
