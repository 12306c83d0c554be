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

from duretrieval.errors import DamagedMedia, DuretrievalError, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.decode import too_much_memory
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
        self._process = context.Process(target=_serve, args=(theirs, reading, limits, decode, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does
        self.files = 0
        """How many it has decoded."""

    def decode(self, path: Path, start: Cursor | None) -> Chunk:
        """The chunk of `path` at `start`; after an error of the process itself, `alive` is false.

        Raises:
            DuretrievalError: what `decode` raised; DamagedMedia when the process died over it, LimitExceeded when it
                took too long, and was ended.
        """
        try:
            if not self.files:
                self._wait(START_S)
                self._pipe.recv()
            self.files += 1
            self._pipe.send((path, start))
            self._wait(self._limits.decode_timeout_s)
            answer: Chunk | DuretrievalError = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(START_S)
            code = self._process.exitcode
            self.end()
            raise DamagedMedia(f"its decoder crashed (exit code {code})") from error
        if isinstance(answer, DuretrievalError):
            raise answer
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can take another file."""
        return not self._pipe.closed

    def kill(self) -> None:
        """End the process, whatever it does, from any thread; a `decode` under way raises."""
        self._process.kill()

    def end(self) -> None:
        """End the process and let go of it; doing so twice is no error."""
        self.kill()
        self._process.join()
        self._pipe.close()

    def _wait(self, seconds: float) -> None:
        if not self._pipe.poll(seconds):
            self.end()
            limit = self._limits.decode_timeout_s
            raise LimitExceeded(f"decoding it takes more than {limit:g} s (Limits.decode_timeout_s)")


def _serve(pipe: Connection, reading: Reading, limits: Limits, decode: Decode, parent: int) -> None:
    """In the process: answer each (path, start) with a chunk or an error of ours, until the pipe ends."""
    _prepare(limits, parent)
    pipe.send("ready")
    while True:
        try:
            path, start = pipe.recv()
        except (EOFError, OSError):
            return
        answer: Chunk | DuretrievalError
        try:
            answer = decode(path, reading, limits, start)
        except DuretrievalError as error:
            answer = error
        except MemoryError:
            answer = too_much_memory(limits)
        except BaseException as error:  # SystemExit as well: the file's problem, not ours
            answer = DamagedMedia(f"its decoder failed: {type(error).__name__}: {error}"[:500])
        try:
            pipe.send(answer)
        except MemoryError:
            pipe.send(too_much_memory(limits))


def _prepare(limits: Limits, parent: int) -> None:
    """Bound its memory, leave Ctrl-C to the parent, keep native decoders quiet, and end when the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    os.close(quiet)
    threading.Thread(target=_watch, args=(parent, limits), daemon=True).start()
    if sys.platform == "linux":  # elsewhere the limit is not kept, or counts otherwise
        import resource

        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = reserved + limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _watch(parent: int, limits: Limits) -> None:
    """End this process soon after its parent; where native code lets no other thread run, the alarm does in a while."""
    while os.getppid() == parent:
        if hasattr(signal, "alarm"):
            signal.alarm(int(limits.decode_timeout_s) + 30)
        time.sleep(1)
    os._exit(1)
