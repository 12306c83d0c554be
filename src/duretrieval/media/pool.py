"""Decoding in expendable processes: a decoder that crashes or hangs takes its own file down and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessPool

from duretrieval.errors import DamagedMedia, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.media.spawn import Context
from duretrieval.types import Reading

FILES_PER_PROCESS = 2000
"""After so many, a process is replaced: native decoders leak a little."""
Decode = Callable[[Path, Reading, Limits, Cursor | None], Chunk]


class DecoderPool:
    """Runs `decode` in `workers` processes (default: one a core); use it in a `with`."""

    def __init__(
        self, reading: Reading, limits: Limits, *, workers: int | None = None, decode: Decode = decode
    ) -> None:
        self._reading = reading
        self._limits = limits
        self._decode = decode
        self._pool = ProcessPool(
            max_workers=workers or os.cpu_count() or 1,
            max_tasks=FILES_PER_PROCESS,
            initializer=_prepare,
            initargs=[limits.memory_bytes],
            context=Context(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def submit(self, path: Path, start: Cursor | None = None) -> Future[Chunk]:
        """The chunk of `path` at `start`, soon; its exceptions are `decode`'s.

        A process that dies over it makes it DamagedMedia, one that takes too long LimitExceeded.
        """
        answer: Future[Chunk] = Future()
        task = self._pool.schedule(
            self._decode, args=[path, self._reading, self._limits, start], timeout=self._limits.decode_timeout_s
        )
        task.add_done_callback(lambda done: self._settle(done, answer))
        return answer

    def _settle(self, task: Future[Chunk], answer: Future[Chunk]) -> None:
        if task.cancelled():
            answer.cancel()
            return
        error = task.exception()
        if error is None:
            answer.set_result(task.result())
        elif isinstance(error, ProcessExpired):
            answer.set_exception(DamagedMedia(f"its decoder crashed (exit code {error.exitcode})"))
        elif isinstance(error, TimeoutError):
            answer.set_exception(
                LimitExceeded(
                    f"decoding it takes more than {self._limits.decode_timeout_s:g} s (Limits.decode_timeout_s)"
                )
            )
        else:
            answer.set_exception(error)


def _prepare(memory_bytes: int) -> None:
    """In each new process: bound its memory, leave Ctrl-C to the parent, and keep native decoders quiet."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stderr.fileno())
    os.close(quiet)
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
