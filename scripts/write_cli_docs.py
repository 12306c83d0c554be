"""Write docs/commands.md from the program's own help, so that the two cannot disagree. `--check` only compares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.update(COLUMNS="100", TERM="dumb", NO_COLOR="1")

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Made by `scripts/write_cli_docs.py` from `duretrieval --help`; edit the program, not this page.

Exit codes: 0 done; 1 the request could not be met, or `verify` or `doctor` found faults; 2 the command line itself is
wrong; 130 interrupted. Results go to standard output, progress and errors to standard error.
"""


def page() -> str:
    import click
    from typer.main import get_command

    from duretrieval.cli.app import app

    group = get_command(app)
    sections = [HEAD]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        context = click.Context(command, info_name=f"duretrieval {name}")
        lines = [
            f"## duretrieval {name}",
            "",
            (command.help or "").strip(),
            "",
            "| option | meaning | default |",
            "|---|---|---|",
        ]
        for parameter in command.params:
            names, text = parameter.get_help_record(context) or (parameter.human_readable_name.upper(), "")
            if parameter.param_type_name == "argument":
                names, text = parameter.human_readable_name, getattr(parameter, "help", "") or ""
            lines.append(
                f"| `{names}` | {(getattr(parameter, 'help', None) or text).replace('|', '/')} | {shown(parameter)} |"
            )
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def shown(parameter: object) -> str:
    default = getattr(parameter, "default", None)
    return "" if default in (None, False, ()) or callable(default) else f"`{default}`"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is out of date: make docs")
    PAGE.write_text(page(), encoding="utf-8")
