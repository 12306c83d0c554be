"""What waits to be decoded, handed out so that each file is gone on with by whoever has it open."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from duretrieval.media.chunk import Ask, Chunk, Cursor


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A chunk that somebody wants."""

    path: Path
    start: Ask
    answer: Future[Chunk] = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a process is in a file that it has open."""

    path: Path
    next: Cursor
    wait_s: float
    """How long the process does nothing else, though others be waiting."""

    def begins(self, job: Job) -> bool:
        """Whether the job goes on from here."""
        return (job.path, job.start) == (self.path, self.next)


class Jobs:
    """First come, first served, but for jobs that go on with a file: they belong to the process that has it open."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._kept: list[Place] = []
        self._closed = False

    def put(self, job: Job) -> None:
        """Add a job.

        Raises:
            RuntimeError: nobody takes any more.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("this DecoderPool is closed")
            self._waiting.append(job)
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more jobs; those that wait are still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def keep(self, place: Place) -> None:
        """The job that goes on from there is for who takes with this place, and not for others until then."""
        with self._changed:
            self._kept.append(place)

    def take(self, place: Place | None = None) -> Job | None:
        """Wait for a job, by preference the one that goes on from a place that was kept; None: none is left to come."""
        until = time.monotonic() + (place.wait_s if place else 0)
        with self._changed:
            while (job := self._choice(place, until)) is None and (self._waiting or not self._closed):
                left_s = until - time.monotonic()
                self._changed.wait(left_s if left_s > 0 and self._waiting else None)
            if job is not None:
                self._waiting.remove(job)
            if place is not None:
                self._kept.remove(place)
                self._changed.notify_all()  # what was kept for it is anybody's
        return job

    def _choice(self, place: Place | None, until: float) -> Job | None:
        if self._closed:
            return self._waiting[0] if self._waiting else None
        mine = next((job for job in self._waiting if place.begins(job)), None) if place else None
        if mine is not None or time.monotonic() < until:
            return mine
        return next(
            (job for job in self._waiting if not any(kept.begins(job) for kept in self._kept if kept is not place)),
            None,
        )
