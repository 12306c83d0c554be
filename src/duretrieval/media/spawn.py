"""Fresh processes that do not run the user's script again.

Python's `spawn` imports the main script in every child, so that a script without an `if __name__ == "__main__"` guard
starts itself over and over. A decoding process needs nothing from that script, so here the children do not see it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType

_SWAP = threading.Lock()


class _Process(SpawnProcess):
    def start(self) -> None:
        with _no_main():
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
