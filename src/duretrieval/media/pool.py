"""Decode in other processes, so that a decoder that crashes, hangs or swells takes down one file.

A thread for each process hands it one file at a time over a pipe of their own. In pools whose processes share a queue
(`concurrent.futures`, Pebble) one that dies at the wrong moment takes more than its file along: a task, or the pool.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from duretrieval.media import budget
from duretrieval.media.chunk import Ask, Chunk, Cursor, Spent
from duretrieval.media.decoder import Decoder
from duretrieval.media.jobs import Job, Jobs, Place
from duretrieval.media.limits import Limits
from duretrieval.media.worker import KEPT_S, Decode, Worker
from duretrieval.types import Reading

FILES_PER_WORKER = 1_000
"""A process is replaced after so many chunks, which bounds what decoders leak."""


class DecoderPool:
    """Processes that decode chunks. A context manager: leaving it ends them and cancels what is unfinished.

        with DecoderPool(reading, Limits()) as pool:
            chunk = pool.submit(path).result()

    workers: processes, started as they are needed; None for one a core.  decode: what they run; None: a `Decoder`.
    """

    def __init__(
        self, reading: Reading, limits: Limits, workers: int | None = None, *, decode: Decode | None = None
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.reading, self.limits, self._decode = reading, limits, decode or Decoder()
        self._jobs = Jobs()
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
        job = Job(Path(path), start)
        with self._lock:
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
        self._jobs.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        """In a thread: jobs in, answers out, by a fresh process when the one before is gone or has done enough."""
        worker: Worker | None = None
        place: Place | None = None
        while (job := self._jobs.take(place)) is not None:
            place = None
            if self._closed:
                job.answer.cancel()
            elif job.answer.set_running_or_notify_cancel():
                try:
                    spent = job.start.spent if isinstance(job.start, Cursor) else Spent()
                    patience = budget.patience(job.path, spent, self.limits)
                    if worker is None or not worker.alive:
                        worker = self._replace(worker)
                    chunk = _chunk(worker, job, spent, patience)
                    if chunk.next is not None and worker.files < FILES_PER_WORKER:
                        place = _place(job, chunk.next)
                        self._jobs.keep(place)
                    job.answer.set_result(chunk)
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


def _place(job: Job, after: Cursor) -> Place:
    """Waited for as long as it took to get there: who asks late for each chunk then pays twice at most.

    Not after a first chunk, since many want no more of a file.
    """
    return Place(job.path, after, min(after.spent.seconds, KEPT_S) if job.start else 0.0)


def _chunk(worker: Worker, job: Job, spent: Spent, patience: budget.Patience) -> Chunk:
    """Decoded, and with what the file has used up by now on the cursor of its next chunk."""
    began = time.monotonic()
    chunk = worker.decode(job.path, job.start, patience)
    if chunk.next is None:
        return chunk
    spent = budget.after(spent, time.monotonic() - began, chunk)
    return replace(chunk, next=replace(chunk.next, spent=spent))
