"""The command line: each command is parse, load, call one library function, print.

Exit codes: 0 done; 1 the request could not be met (the reason is on standard error), `verify` or `doctor` found faults,
or `evaluate --gate` found a significant loss; 2 the command line itself is wrong; 130 interrupted.
"""

from __future__ import annotations

import sys

from duretrieval.errors import DuretrievalError

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of the `duretrieval` command."""
    from duretrieval.cli.app import app
    from duretrieval.cli.output import err

    try:
        app()
    except DuretrievalError as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("Interrupted. What was finished is stored; run the same command again to go on.")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)  # `duretrieval search ... | head`
