"""The decoding processes of a run, and the threads that wait for them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from torch.utils.data import get_worker_info

from duretrieval.media import DecoderPool, Limits
from duretrieval.types import Reading

T = TypeVar("T")

ASKING = 2
"""Threads for each decoder, so that one has its next file when it is done with one."""


class Decoders:
    """One `DecoderPool` for all that is read of samples. It starts with the first file, and again after `close`.

    workers: decoders; None: one a core.  A copy in another process has a pool of its own: on another device as large,
    in a worker of a loader of one decoder.  What nobody holds any more is closed.
    """

    def __init__(self, reading: Reading, limits: Limits, workers: int | None = None) -> None:
        self.reading, self.limits, self.workers = reading, limits, workers
        self._held: tuple[int, DecoderPool, ThreadPoolExecutor] | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    @property
    def pool(self) -> DecoderPool:
        """That of this process."""
        return self._open()[1]

    def submit(self, work: Callable[[DecoderPool], T]) -> Future[T]:
        """Do what waits for files in a thread; its answer, or what it raises."""
        _, pool, threads = self._open()
        return threads.submit(work, pool)

    def close(self) -> None:
        """End the decoders, and give up what waits for them; doing so twice is no error."""
        if self._end is not None:
            self._end()
        self._held = self._end = None

    def _open(self) -> tuple[int, DecoderPool, ThreadPoolExecutor]:
        if self._held is None or self._held[0] != os.getpid():
            if self._end is not None:
                self._end.detach()  # a forked copy: what it copied is its parent's
            pool = DecoderPool(self.reading, self.limits, 1 if get_worker_info() else self.workers)
            self._held = os.getpid(), pool, ThreadPoolExecutor(ASKING * pool.workers, "reader")
            self._end = weakref.finalize(self, _end, *self._held)
        return self._held

    def __getstate__(self) -> dict[str, Any]:
        return {"reading": self.reading, "limits": self.limits, "workers": self.workers, "_held": None, "_end": None}


def _end(process: int, pool: DecoderPool, threads: ThreadPoolExecutor) -> None:
    if process == os.getpid():
        threads.shutdown(wait=False, cancel_futures=True)
        pool.close()
