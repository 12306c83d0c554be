"""Decode in other processes, so that a decoder that crashes, hangs or swells takes down one file."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from duretrieval.errors import DamagedMedia, DuretrievalError, LimitExceeded
from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.media.spawn import Context
from duretrieval.media.worker import prepare
from duretrieval.types import Reading

if TYPE_CHECKING:
    from pebble import ProcessPool

FILES_PER_WORKER = 1_000
"""A worker is replaced after so many chunks, which bounds what decoders leak."""
ATTEMPTS = 3
"""How often a chunk is handed to a new pool when all workers died before saying which file they had."""

Decode = Callable[[Path, Reading, Limits, Cursor | None], Chunk]


class DecoderPool:
    """Workers that decode chunks. A context manager: leaving it ends the workers and cancels what is unfinished.

        with DecoderPool(reading, Limits()) as pool:
            chunk = pool.submit(path).result()

    workers: processes; None for as many as this process may use cores.  decode: what they run.
    """

    def __init__(
        self, reading: Reading, limits: Limits, workers: int | None = None, *, decode: Decode = decode
    ) -> None:
        self.workers = workers or _cores()
        self._reading, self._limits, self._decode = reading, limits, decode
        self._lock = threading.RLock()
        self._waiting: set[Future[Chunk]] = set()
        self._closed = False
        self._answered = False
        self._pool = self._new_pool()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, path: Path, start: Cursor | None = None) -> Future[Chunk]:
        """Ask for the chunk of a file that begins at `start`.

        The future raises what `decode` raises; DamagedMedia when the decoder crashed; LimitExceeded when it took longer
        than `limits.decode_timeout_s`; DuretrievalError when no worker can start.
        """
        future: Future[Chunk] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("this DecoderPool is closed")
            self._waiting.add(future)
        self._schedule(future, path, start, ATTEMPTS)
        return future

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            future.cancel()
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _new_pool(self) -> ProcessPool:
        from pebble import ProcessPool  # spared to those who only search

        return ProcessPool(
            max_workers=self.workers,
            max_tasks=FILES_PER_WORKER,
            initializer=prepare,
            initargs=(self._limits.memory_bytes,),
            context=Context(),
        )

    def _schedule(self, future: Future[Chunk], path: Path, start: Cursor | None, attempts: int) -> None:
        arguments = (path, self._reading, self._limits, start)
        with self._lock:
            if self._closed:
                return
            pool = self._pool
            try:
                inner = pool.schedule(self._decode, args=arguments, timeout=self._limits.decode_timeout_s)
            except RuntimeError:  # it broke while idle
                pool = self._replace(pool)
                inner = pool.schedule(self._decode, args=arguments, timeout=self._limits.decode_timeout_s)
        inner.add_done_callback(lambda done: self._settle(done, pool, future, path, start, attempts - 1))

    def _settle(
        self,
        done: Future[Any],
        pool: ProcessPool,
        future: Future[Chunk],
        path: Path,
        start: Cursor | None,
        attempts: int,
    ) -> None:
        """Pass on the result, or say in our words what went wrong."""
        error: BaseException | None = CancelledError() if done.cancelled() else done.exception()
        if isinstance(error, BrokenProcessPool) and attempts and not self._closed:
            self._replace(pool)
            self._schedule(future, path, start, attempts)
            return
        with self._lock:
            self._waiting.discard(future)
            self._answered = self._answered or error is None
        if not future.set_running_or_notify_cancel():
            return
        if error is None:
            future.set_result(done.result())
        else:
            future.set_exception(self._explained(error))

    def _replace(self, broken: ProcessPool) -> ProcessPool:
        """A new pool in the place of a broken one, which is cleared away from a thread that is not its own."""
        with self._lock:
            if self._pool is broken and not self._closed:
                self._pool = self._new_pool()
                broken.stop()  # type: ignore[no-untyped-call]
                threading.Thread(target=broken.join, daemon=True).start()
            return self._pool

    def _explained(self, error: BaseException) -> BaseException:
        from pebble import ProcessExpired

        if isinstance(error, TimeoutError):
            return LimitExceeded(
                f"decoding took more than {self._limits.decode_timeout_s:g} s; raise `decode_timeout_s` to wait longer"
            )
        if isinstance(error, ProcessExpired):
            return DamagedMedia(f"it crashed its decoder ({_ending(error.exitcode)})")
        if isinstance(error, BrokenProcessPool):
            if self._answered:
                return DamagedMedia("it crashed its decoder again and again")
            return DuretrievalError("no decoding process can start; `duretrieval doctor` says what is missing")
        return error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ending(code: int | None) -> str:
    """How a process ended: -11 -> "SIGSEGV", 3 -> "exit code 3"."""
    try:
        return signal.Signals(-(code or 0)).name
    except ValueError:
        return f"exit code {code}"
