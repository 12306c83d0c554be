"""Decoding in expendable processes: a decoder that crashes or hangs takes its own file down and nothing else.

A thread for each process hands it one file at a time over a pipe of their own. Pools in which the processes share a
queue (`concurrent.futures`, Pebble) lose more than the file when one dies at the wrong moment: the pool, or a lock.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from duretrieval.media.chunk import Chunk, Cursor
from duretrieval.media.decode import decode
from duretrieval.media.limits import Limits
from duretrieval.media.worker import Decode, Worker
from duretrieval.types import Reading

FILES_PER_PROCESS = 2000
"""After so many, a process is replaced: native decoders leak a little."""


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    start: Cursor | None
    answer: Future[Chunk]


class DecoderPool:
    """Runs `decode` in `workers` processes (default: one a core); use it in a `with`."""

    def __init__(
        self, reading: Reading, limits: Limits, *, workers: int | None = None, decode: Decode = decode
    ) -> None:
        self._reading = reading
        self._limits = limits
        self._decode = decode
        self._most = workers or os.cpu_count() or 1
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for nothing: what runs is ended, what waits is cancelled."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, path: Path, start: Cursor | None = None) -> Future[Chunk]:
        """The chunk of `path` at `start`, soon; its exceptions are `decode`'s.

        A process that dies over it makes it DamagedMedia, one that takes too long LimitExceeded.
        """
        if self._closed:
            raise RuntimeError("the pool is closed")
        answer: Future[Chunk] = Future()
        self._jobs.put(_Job(path, start, answer))
        if len(self._threads) < self._most:
            self._threads.append(threading.Thread(target=self._work, daemon=True))
            self._threads[-1].start()
        return answer

    def _work(self) -> None:
        """In a thread: jobs in, answers out, with a fresh process when the one before is gone or has done enough."""
        worker: Worker | None = None
        while (job := self._jobs.get()) is not None:
            if self._closed:
                job.answer.cancel()
            elif job.answer.set_running_or_notify_cancel():
                try:
                    worker = worker or self._hire()
                    job.answer.set_result(worker.decode(job.path, job.start))
                except BaseException as error:  # whoever waits for the answer must get one
                    job.answer.set_exception(error)
            if worker is not None and (not worker.alive or worker.files >= FILES_PER_PROCESS):
                self._dismiss(worker)
                worker = None
        if worker is not None:
            self._dismiss(worker)

    def _hire(self) -> Worker:
        worker = Worker(self._reading, self._limits, self._decode)
        with self._lock:
            self._workers.add(worker)
            if self._closed:
                worker.kill()
        return worker

    def _dismiss(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.end()
