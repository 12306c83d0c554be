"""Fresh processes that do not run the user's script again, nor anything that lies in the current folder.

Python's `spawn` imports the main script in every child, so that a script without an `if __name__ == "__main__"` guard
starts itself over and over. A decoding process needs nothing from that script, so here the children do not see it.

And it starts them by `python -c`, which looks into the current folder first: a `pickle.py` there would be run.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import current_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

_SWAP = threading.Lock()


class _Process(SpawnProcess):
    def start(self) -> None:
        process = current_process()
        if process.daemon:  # as torch's loaders start theirs: no children, lest they outlive it, and these do not
            process.daemon = False
        with _no_main(), _safe_path():
            super().start()


class Context(SpawnContext):
    """A `multiprocessing` context whose processes start from an empty main module."""

    Process = _Process


@contextmanager
def _no_main() -> Iterator[None]:
    """`multiprocessing` looks at `sys.modules["__main__"]` to tell the child what to import."""
    with _SWAP:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


@contextmanager
def _safe_path() -> Iterator[None]:
    """Children that start within it begin without the current folder among the places of modules."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before
