"""One expendable process that decodes a file at a time, and what ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.limits import Limits
from duretrieval.media.spawn import Context
from duretrieval.types import Reading

Decode = Callable[[Path, Reading, Limits, Cursor | None], Chunk]
START_S = 60.0
"""For a process to start, on a busy machine."""


class Worker:
    """A process with a pipe of its own, so that its death, even in the middle of a word, concerns nobody else."""

    def __init__(self, reading: Reading, limits: Limits, decode: Decode) -> None:
        context = Context()
        self._limits = limits
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, reading, limits, decode, os.getpid()), name="decoder", daemon=True
        )
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does
        self.files = 0
        """How many it has decoded."""

    def decode(self, path: Path, start: Cursor | None) -> Chunk:
        """The chunk of `path` at `start`; after an error of the process itself, `alive` is false.

        Raises:
            DamagedMedia: the process died over it.
            LimitExceeded: it took too long, and was ended.
            Exception: whatever `decode` raised.
        """
        try:
            if not self.files:
                self._wait(START_S, "starting to decode it")
                self._pipe.recv()
            self.files += 1
            self._pipe.send((path, start))
            self._wait(self._limits.decode_timeout_s, "decoding")
            answer: Chunk | Exception = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(START_S)
            code = self._process.exitcode
            self.end()
            raise DamagedMedia(f"it crashed its decoder ({_ending(code)})") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can take another file."""
        return not self._pipe.closed and self._process.is_alive()

    def kill(self) -> None:
        """End the process, whatever it does, from any thread; a `decode` under way raises."""
        self._process.kill()

    def end(self) -> None:
        """End the process and let go of it; doing so twice is no error."""
        self.kill()
        self._process.join()
        self._pipe.close()

    def _wait(self, seconds: float, what: str) -> None:
        if not self._pipe.poll(seconds):
            self.end()
            raise LimitExceeded(f"{what} took more than {seconds:g} s; raise `decode_timeout_s` to wait longer")


def _serve(pipe: Connection, reading: Reading, limits: Limits, decode: Decode, parent: int) -> None:
    """In the process: answer each (path, start) with a chunk or an exception, until the pipe ends."""
    _prepare(limits, parent)
    pipe.send("ready")
    while True:
        try:
            path, start = pipe.recv()
        except (EOFError, OSError):
            return
        answer: Chunk | Exception
        try:
            answer = decode(path, reading, limits, start)
        except Exception as error:
            answer = error
        try:
            pipe.send(answer)
        except Exception as error:  # what cannot be pickled or does not fit in memory; nothing was written yet
            pipe.send(DamagedMedia(f"what its decoder gave cannot be passed on: {type(error).__name__}: {error}"[:500]))


def _prepare(limits: Limits, parent: int) -> None:
    """Bound its memory, leave Ctrl-C to the parent, keep native decoders quiet, and end when the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(quiet, descriptor)
    os.close(quiet)
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # `Limits.max_pixels` is checked instead
    threading.Thread(target=_watch, args=(parent, limits), daemon=True).start()
    if sys.platform == "linux":  # elsewhere the limit is not kept, or counts otherwise
        import resource

        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = reserved + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watch(parent: int, limits: Limits) -> None:
    """End this process soon after its parent; where native code lets no other thread run, the alarm does in a while."""
    while os.getppid() == parent:
        if hasattr(signal, "alarm"):
            signal.alarm(int(limits.decode_timeout_s) + 30)
        time.sleep(1)
    os._exit(1)


def _ending(code: int | None) -> str:
    """How a process ended: -11 -> "SIGSEGV", 3 -> "exit code 3"."""
    try:
        return signal.Signals(-(code or 0)).name
    except ValueError:
        return f"exit code {code}"
