"""A test that waits for what does not come fails, and leaves no process behind."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from tests.ends import ended, running

FOR_EVER = [sys.executable, "-c", "import sys; sys.stdin.read()"]
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def loop() -> None:
    while True:
        pass


@pytest.mark.parametrize("wait", [loop, threading.Event().wait, threading.Barrier(2).wait])
def test_waiting_here_ends_with_a_sentence(wait: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"still waited after 0\.001 minutes for something"), ended(0.001):
        wait()


@pytest.mark.parametrize("wait", [subprocess.Popen.wait, lambda process: process.stdout.readline()])
def test_waiting_for_a_process_ends_and_so_does_the_process(wait: Callable[[object], object]) -> None:
    with running(FOR_EVER, **PIPES) as process:
        with pytest.raises(pytest.fail.Exception, match="still waited"), ended(0.001):
            wait(process)
        assert process.poll() is None
    assert process.returncode < 0


def test_the_end_of_the_test_around_it_is_set_again() -> None:
    with ended(0.002):
        with ended(1):
            pass
        with pytest.raises(pytest.fail.Exception, match=r"after 0\.002 minutes"):
            threading.Event().wait()
