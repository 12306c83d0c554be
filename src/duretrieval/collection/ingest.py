"""The road in: files are decoded in expendable processes, encoded in batches here, and stored item by item.

Three things overlap: decoding (other processes), encoding (this one; the runtime uses its own threads) and waiting for
the disk. What is in flight is bounded, so memory does not grow with the collection. An item is stored when every part
of it has its vector; until then it exists nowhere, so a kill loses at most the last few seconds of work and a second
run picks up where the first one stopped.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from duretrieval.collection import storable
from duretrieval.collection.reading import passages
from duretrieval.collection.sources import Entry
from duretrieval.collection.vectors import placed
from duretrieval.errors import DuretrievalError, MediaError, MissingExtra, UnfitFields
from duretrieval.fuse.means import pooled
from duretrieval.media.decoder import Chunk
from duretrieval.media.expected import belonging, misfit
from duretrieval.media.limits import Limits
from duretrieval.media.pool import DecoderPool
from duretrieval.model.model import Model
from duretrieval.protocols import Store
from duretrieval.types import Array, Item, Modality, Part, Scalar

IN_FLIGHT = 64
"""Files being decoded or waiting for it."""
BATCH = {Modality.TEXT: 128, Modality.IMAGE: 32, Modality.VIDEO: 8, Modality.AUDIO: 32}
"""Parts encoded at a time."""
COMMIT_ITEMS, COMMIT_PARTS, COMMIT_S = 512, 4096, 3.0
"""What is ready is stored, and thereby found, as soon as one of these is reached."""


@dataclass(slots=True)
class Report:
    """What a run did. `indexed` counts new and changed items, those with a problem included."""

    indexed: int = 0
    failed: int = 0
    """Those of `indexed` of which nothing can be found."""
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    parts: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    """source -> reason, for the items of this run that could not be used, or not wholly."""
    seconds: float = 0.0
    beside: int = 0
    """Items of the collection whose vector looks at neighbours."""
    unrelated: list[str] = field(default_factory=list)
    """What of the relations is not used, in sentences."""

    @property
    def seen(self) -> int:
        """Items this run has dealt with so far."""
        return self.indexed + self.unchanged + self.moved


@dataclass(slots=True, eq=False)
class _Draft:
    """An item on its way: parts arrive in any order and are sorted by (file, chunk, place in the chunk)."""

    entry: Entry
    fields: dict[str, Scalar] = field(default_factory=dict)
    parts: dict[tuple[int, int, int], Part] = field(default_factory=dict)
    sequences: dict[tuple[int, int, int], Array] = field(default_factory=dict)
    """(t, dim) unit rows; one, but where the model fuses tokens"""
    problems: list[str] = field(default_factory=list)
    kinds: dict[int, set[Modality]] = field(default_factory=dict)
    """file -> the modalities in it so far"""
    files_open: int = 0
    waiting: int = 0

    @property
    def done(self) -> bool:
        return self.files_open == 0 and self.waiting == 0

    def item(self) -> tuple[Item, list[Array]]:
        order = [key for key in sorted(self.parts) if key in self.sequences]
        entry = self.entry
        item = Item(
            id=entry.id,
            source=entry.source,
            parts=tuple(_stored(self.parts[key]) for key in order),
            fields={**self.fields, **entry.fields},
            stamp=entry.stamp,
            digest=entry.digest,
            problem="; ".join(filter(None, [entry.problem, *self.problems])) or None,
        )
        return item, [self.sequences[key] for key in order]


class Ingest:
    """One run over a stream of entries; `run` does it all."""

    def __init__(
        self, model: Model, store: Store, limits: Limits, progress: Callable[[Report], None], workers: int | None = None
    ) -> None:
        self._model = model
        self._store = store
        self._limits = limits
        self._progress = progress
        self._workers = workers
        self.report = Report()
        self._done: SimpleQueue[tuple[_Draft, int, int, Future[Chunk]]] = SimpleQueue()
        self._flying = 0
        self._batches: dict[Modality, list[tuple[_Draft, tuple[int, int, int], Part]]] = defaultdict(list)
        self._ready: list[tuple[Item, list[Array]]] = []
        self._last_commit = time.monotonic()

    def run(self, entries: Iterable[Entry]) -> Report:
        """Index every entry; what is complete when the run is interrupted is stored all the same."""
        start = time.monotonic()
        with DecoderPool(self._model.reading, self._limits, workers=self._workers) as pool:
            try:
                for entry in entries:
                    self._begin(entry, pool)
                    while self._flying >= IN_FLIGHT:
                        self._receive(pool)
                while self._flying:
                    self._receive(pool)
                self._encode_all()
            finally:
                self._commit()
                self.report.seconds = time.monotonic() - start
        return self.report

    def skip(self) -> None:
        """Count an item that is unchanged."""
        self.report.unchanged += 1
        self._progress(self.report)

    def _begin(self, entry: Entry, pool: DecoderPool) -> None:
        if entry.reuse is not None:
            self._reuse(entry)
            return
        reading = self._model.reading
        draft = _Draft(entry, files_open=len(entry.files) + 1)  # one more, so that it cannot finish before it has begun
        self._wait_for_vectors(draft, 0, 0, [piece for part in entry.parts for piece in passages(part, reading)])
        for number, path in enumerate(entry.files, start=1):
            self._submit(draft, number, 0, pool.submit(path))
        draft.files_open -= 1
        self._finish_if_done(draft)

    def _submit(self, draft: _Draft, number: int, chunk: int, future: Future[Chunk]) -> None:
        self._flying += 1
        future.add_done_callback(lambda done: self._done.put((draft, number, chunk, done)))

    def _receive(self, pool: DecoderPool) -> None:
        """Take one decoded chunk, ask for the file's next one, encode full batches, commit when it is time."""
        try:
            draft, number, chunk_number, future = self._done.get(timeout=COMMIT_S)
        except Empty:
            self._encode_all()
            self._commit()
            return
        self._flying -= 1
        path = draft.entry.files[number - 1]
        try:
            wanted = draft.entry.wanted[number - 1] if draft.entry.wanted else None
            chunk = placed(future.result(), wanted, lambda: self._model.takes)
        except (MediaError, MissingExtra) as reason:
            draft.problems.append(str(reason) if draft.entry.is_file else f"{path.name}: {reason}")
            draft.files_open -= 1
        else:
            for key, value in chunk.fields.items():
                draft.fields.setdefault(key, value)
            parts: Sequence[Part] = chunk.parts
            if not draft.entry.is_file:
                parts = [replace(part, file=str(path)) for part in self._wanted(draft, number, chunk)]
            self._wait_for_vectors(draft, number, chunk_number, parts)
            if chunk.next is None:
                draft.files_open -= 1
            else:
                self._submit(draft, number, chunk_number + 1, pool.submit(path, chunk.next))
        self._finish_if_done(draft)
        if time.monotonic() - self._last_commit > COMMIT_S:
            self._encode_all()
            self._commit()

    def _wanted(self, draft: _Draft, number: int, chunk: Chunk) -> list[Part]:
        """Those parts of a row's file that its column is for; that there are none is a problem of the row."""
        wanted = draft.entry.wanted[number - 1] if draft.entry.wanted else None
        path = draft.entry.files[number - 1]
        there = draft.kinds.setdefault(number, set())
        there.update({part.modality for part in chunk.parts})
        if chunk.fields.get("kind") == Modality.VIDEO:
            there.add(Modality.VIDEO)  # its frames may come after its sound
        meant = belonging(wanted, path, there)
        if wanted is not None and chunk.next is None and not meant:
            self._note(draft, f"{path.name}: {misfit(wanted, there)}")
        return [part for part in chunk.parts if part.modality in meant]

    def _wait_for_vectors(self, draft: _Draft, number: int, chunk: int, parts: Iterable[Part]) -> None:
        for i, part in enumerate(parts):
            if part.modality not in self._model.modalities:
                self._note(draft, f"model {self._model.name!r} does not know {part.modality.value}")
                continue
            key = (number, chunk, i)
            draft.parts[key] = part
            draft.waiting += 1
            batch = self._batches[part.modality]
            batch.append((draft, key, part))
            if len(batch) >= BATCH[part.modality]:
                self._encode(part.modality)

    def _encode_all(self) -> None:
        for modality in list(self._batches):
            self._encode(modality)

    def _encode(self, modality: Modality) -> None:
        batch = self._batches.pop(modality, [])
        if batch and modality in self._model.modalities:
            self._model.parts_for(modality)  # a part that is refused or damaged is the model's fault, and no item's
        try:
            rows: list[Array | DuretrievalError] = list(self._model.sequences([part for _, _, part in batch]))
        except DuretrievalError:  # one of them is at fault: find out which, so that it alone pays
            rows = [self._encode_one(part) for _, _, part in batch]
        for (draft, key, part), row in zip(batch, rows, strict=True):
            draft.waiting -= 1
            if isinstance(row, DuretrievalError):
                self._note(draft, str(row))
            elif not _is_unit(pooled(row)):
                self._note(draft, f"the model finds nothing in its {modality.value}")
            else:
                draft.sequences[key] = row
            draft.parts[key] = _stored(part)  # the array is no longer needed
            self._finish_if_done(draft)

    def _encode_one(self, part: Part) -> Array | DuretrievalError:
        try:
            row: Array = self._model.sequences([part])[0]
        except DuretrievalError as error:
            return error
        return row

    def _note(self, draft: _Draft, problem: str) -> None:
        if problem not in draft.problems:
            draft.problems.append(problem)

    def _finish_if_done(self, draft: _Draft) -> None:
        if draft.done:
            self._put(*self._with_whole(*draft.item()))

    def _with_whole(self, item: Item, sequences: list[Array]) -> tuple[Item, list[Array]]:
        """A vector a part, and one more part, all of its modalities fused, where the model has a fusion."""
        vectors = [pooled(sequence) for sequence in sequences]
        if self._model.fusion is None or not vectors:
            return item, vectors
        whole = self._model.whole([part.modality for part in item.parts], sequences)
        if not _is_unit(whole):
            problem = "the model finds nothing in the whole of it, so it cannot be found"
            return replace(item, problem="; ".join(filter(None, [item.problem, problem]))), vectors
        return replace(item, parts=(*item.parts, Part(Modality.WHOLE, None))), [*vectors, whole]

    def _reuse(self, entry: Entry) -> None:
        """Store an item whose content is known under its new place, without decoding anything."""
        assert entry.reuse is not None
        known, vectors = entry.reuse
        item = replace(
            known, id=entry.id, source=entry.source, stamp=entry.stamp, fields={**known.fields, **entry.fields}
        )
        self._put(item, list(vectors), moved=known.id == entry.id)

    def _put(self, item: Item, vectors: list[Array], moved: bool = False) -> None:
        item = storable.item(item)
        self._ready.append((item, vectors))
        self.report.parts += len(item.parts)
        self.report.moved += moved
        self.report.indexed += not moved
        self.report.failed += not moved and bool(item.problem) and not item.parts
        if item.problem:
            self.report.problems[item.source] = item.problem
        self._progress(self.report)
        if len(self._ready) >= COMMIT_ITEMS or sum(len(v) for _, v in self._ready) >= COMMIT_PARTS:
            self._commit()

    def _commit(self) -> None:
        ready = self._ready
        self._last_commit = time.monotonic()
        if not ready:
            return
        try:
            self._add(ready)
        except UnfitFields as error:
            self._add([(self._fitting(item, error.reasons.get(item.id, {})), vectors) for item, vectors in ready])
        self._ready = []  # only now: what is interrupted here is stored when `run` ends

    def _fitting(self, item: Item, unfit: Mapping[str, str]) -> Item:
        """The item without the fields that the store cannot keep, which are its problem."""
        if not unfit:
            return item
        problem = "; ".join(filter(None, [item.problem, *unfit.values()]))
        self.report.problems[item.source] = problem
        kept = {name: value for name, value in item.fields.items() if name not in unfit}
        return replace(item, fields=kept, problem=problem)

    def _add(self, ready: list[tuple[Item, list[Array]]]) -> None:
        empty = np.zeros((0, self._model.dim), dtype=np.float32)
        rows = [np.stack(vectors) if vectors else empty for _, vectors in ready]
        self._store.add([item for item, _ in ready], rows, self._model.fingerprint)


def _is_unit(vector: Array) -> bool:
    """Whether it is a direction, rather than zero or not a number."""
    return abs(float(np.linalg.norm(vector)) - 1) < 1e-3


def _stored(part: Part) -> Part:
    """A part as the store keeps it: texts with their words, everything else by reference."""
    content: Any = part.content
    return part if content is None or isinstance(content, str | Path) else replace(part, content=None)
