"""Decode in other processes, so that a decoder that crashes, hangs or swells takes down one file.

A thread for each process hands it one file at a time over a pipe of their own. In pools whose processes share a queue
(`concurrent.futures`, Pebble) one that dies at the wrong moment takes more than its file along: a task, or the pool.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from duretrieval.media import budget
from duretrieval.media.chunk import Ask, Chunk, Cursor, Spent
from duretrieval.media.decoder import decode
from duretrieval.media.limits import Limits
from duretrieval.media.worker import Decode, Worker
from duretrieval.types import Reading

FILES_PER_WORKER = 1_000
"""A process is replaced after so many chunks, which bounds what decoders leak."""


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    start: Ask
    answer: Future[Chunk]


class DecoderPool:
    """Processes that decode chunks. A context manager: leaving it ends them and cancels what is unfinished.

        with DecoderPool(reading, Limits()) as pool:
            chunk = pool.submit(path).result()

    workers: processes, started as they are needed; None for one a core.  decode: what they run.
    """

    def __init__(
        self, reading: Reading, limits: Limits, workers: int | None = None, *, decode: Decode = decode
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.reading, self.limits, self._decode = reading, limits, decode
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._hired: set[Worker] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, path: str | Path, start: Ask = None) -> Future[Chunk]:
        """Ask for the chunk of a file that begins at `start`, or for a clip; from any thread.

        The future raises the MediaError that `decode` raises; DamagedMedia when the decoder crashed, or answered with
        what is no chunk; LimitExceeded when it took longer than `limits` allows a chunk, or more memory, or when the
        chunks before have used up what the limits allow a file. What those gave is good, and the caller's to keep.
        """
        job = _Job(Path(path), start, Future())
        with self._lock:
            if self._closed:
                raise RuntimeError("this DecoderPool is closed")
            self._jobs.put(job)
            if len(self._threads) < self.workers:
                self._threads.append(threading.Thread(target=self._serve, name="decoder", daemon=True))
                self._threads[-1].start()
        return job.answer

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        with self._lock:
            self._closed = True
            for worker in self._hired:
                worker.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        """In a thread: jobs in, answers out, by a fresh process when the one before is gone or has done enough."""
        worker: Worker | None = None
        while (job := self._jobs.get()) is not None:
            if self._closed:
                job.answer.cancel()
            elif job.answer.set_running_or_notify_cancel():
                try:
                    spent = job.start.spent if isinstance(job.start, Cursor) else Spent()
                    patience = budget.patience(job.path, spent, self.limits)
                    if worker is None or not worker.alive:
                        worker = self._replace(worker)
                    job.answer.set_result(_chunk(worker, job, spent, patience))
                except BaseException as error:  # whoever waits for the answer must get one
                    job.answer.set_exception(CancelledError() if self._closed else error)
            if worker is not None and (not worker.alive or worker.files >= FILES_PER_WORKER):
                self._dismiss(worker)
                worker = None
        if worker is not None:
            self._dismiss(worker)

    def _replace(self, gone: Worker | None) -> Worker:
        if gone is not None:
            self._dismiss(gone)
        worker = Worker(self.reading, self.limits, self._decode)
        with self._lock:
            self._hired.add(worker)
            if self._closed:
                worker.kill()
        return worker

    def _dismiss(self, worker: Worker) -> None:
        with self._lock:
            self._hired.discard(worker)
        worker.end()


def _chunk(worker: Worker, job: _Job, spent: Spent, patience: budget.Patience) -> Chunk:
    """Decoded, and with what the file has used up by now on the cursor of its next chunk."""
    began = time.monotonic()
    chunk = worker.decode(job.path, job.start, patience)
    if chunk.next is None:
        return chunk
    spent = budget.after(spent, time.monotonic() - began, chunk)
    return replace(chunk, next=replace(chunk.next, spent=spent))
