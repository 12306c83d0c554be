"""The command line: each command is parse, load, call one library function, print.

Exit codes: 0 done; 1 the request could not be met (the reason is on standard error), `verify` or `doctor` found faults,
or `evaluate --gate` found a significant loss; 2 the command line itself is wrong; 130 interrupted.

What reads a command line imports nothing heavy: the libraries of a command are imported inside it.
"""

from __future__ import annotations

import sys
import traceback

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of the `duretrieval` command."""
    try:
        from duretrieval.cli.terminal import hold_streams

        hold_streams()
        code = _run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _run() -> int:
    """Run a command; its exit code. Errors are said on standard error, a sentence each."""
    import typer

    from duretrieval.cli.app import WrongUsage, app, say_usage
    from duretrieval.cli.terminal import err
    from duretrieval.errors import DuretrievalError

    try:
        code = app(prog_name="duretrieval", standalone_mode=False)
        sys.stdout.flush()
    except WrongUsage as error:
        return say_usage(error)
    except typer.Abort:
        err.print("Aborted.")
        return 1
    except DuretrievalError as error:
        err.print(f"error: {error}")
        return 1
    except OSError as error:
        named = f": {error.filename}" if error.filename else ""
        err.print(f"error: {error.strerror or error}{named}")
        return 1
    except Exception:  # a fault of this program: whoever reports it needs to see where, and names in it are text, too
        for line in traceback.format_exc().splitlines():
            err.print(line)
        return 1
    return code or 0
