"""Every wait ends, and nothing that a test started outlives it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MINUTES = 14
"""Far longer than any test takes, on however busy a machine; below `faulthandler_timeout`, which ends the whole run."""


@contextmanager
def ended(minutes: float = MINUTES) -> Iterator[None]:
    """What still waits then fails, wherever it waits: for a process, a pipe, a thread, or for something to be so.

    It is told again every ten seconds, since what tidies up may wait for the same thing.
    """

    def fail(*_: object) -> None:
        pytest.fail(f"it still waited after {minutes:g} minutes for something that does not come")

    handler = signal.signal(signal.SIGALRM, fail)
    before = signal.setitimer(signal.ITIMER_REAL, 60 * minutes, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


@contextmanager
def running(command: list[Any], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is killed where it has not ended by then; `options`: those of `Popen`."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()
