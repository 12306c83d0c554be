"""The one road from a file, a text or a part to vectors: decoded in processes of their own, cut, encoded in batches.

Queries, evaluation, rows of training and the parity check take it; indexing has its own in `ingest`, which wants every
part. Where a thing needs one vector of its parts, `fuse.means.mean` says which.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from duretrieval.collection.vectors import Takes, placed
from duretrieval.errors import DuretrievalError, EmptyMedia, MediaError, MissingExtra, ModelError, ShapeError
from duretrieval.media.chunk import Chunk
from duretrieval.media.expected import belonging
from duretrieval.media.limits import Limits
from duretrieval.media.passages import split, width
from duretrieval.media.pool import DecoderPool
from duretrieval.types import Array, Modality, Part, Reading

AHEAD = 32
"""Files decoded before the first of them is taken."""
PARTS = 64
"""Parts of one thing and modality at most, of a query as of a row of training: five minutes of sound."""
BATCH = 32
"""Parts encoded at a time, or as many more as one thing has."""

Thing = str | Path | Part
"""A text, a file, or a part whose content is either or at hand."""
Rows = TypeVar("Rows", Array, list[Array])
Encode = Callable[[Sequence[Part]], Rows]
"""Parts to rows (n, dim), as an encoder and a model have it, or to sequences, (t, dim) of each."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was read of a thing."""

    kind: Modality
    """The modality it was asked for; else the one that it is, as a film of frames and sound is a film."""
    parts: Mapping[Modality, Sequence[Part]]
    """By modality, at most `PARTS` of each; a modality that it lacks is not here."""

    def wanted(self) -> list[Part]:
        """The parts of its kind.

        Raises:
            EmptyMedia: it has none.
        """
        if not self.parts.get(self.kind):
            raise EmptyMedia(f"it holds {self.there}, no {self.kind.value}")
        return list(self.parts[self.kind])

    @property
    def there(self) -> str:
        """What it holds, in words."""
        return " and ".join(sorted(self.parts)) or "nothing"


class Road:
    """Reads things as one model wants them. A context manager.

    Its processes start with the first file, and end with `close`, or when nobody holds the road any more.  known: the
    modalities of the model; a film is its sound to one that knows no films.  takes: the vectors that the model takes in
    the place of media, which a file may hold; None: any.
    """

    def __init__(
        self,
        reading: Reading,
        limits: Limits,
        workers: int | None = None,
        *,
        known: frozenset[Modality] = frozenset(Modality),
        takes: Takes | None = None,
    ) -> None:
        self.pool = DecoderPool(reading, limits, workers)
        self._reading, self._known, self._takes = reading, known, takes
        self._end = weakref.finalize(self, self.pool.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; doing so twice is no error."""
        self._end()

    def read(self, thing: Thing) -> Held:
        """A text as passages, a file as its parts, a part with content at hand as itself.

        A part with `start_s` and `end_s` gives the windows of its file that overlap them.

        Raises:
            MediaError, MissingExtra: the file cannot be read; the message does not repeat its path.
        """
        return self._take(thing, self._begin(thing))

    def read_all(self, things: Iterable[Thing]) -> Iterator[list[Part] | DuretrievalError]:
        """For each thing, in order, its parts of its kind, several decoded at a time; or why there are none."""
        waiting: deque[tuple[Thing, Future[Chunk] | None]] = deque()
        for thing in things:
            waiting.append((thing, self._begin(thing)))
            if len(waiting) > AHEAD:
                yield self._parts(*waiting.popleft())
        while waiting:
            yield self._parts(*waiting.popleft())

    def _parts(self, thing: Thing, begun: Future[Chunk] | None) -> list[Part] | DuretrievalError:
        try:
            return self._take(thing, begun).wanted()
        except (MediaError, MissingExtra) as error:
            return MediaError(f"{_path(thing)}: {error}")

    def _begin(self, thing: Thing) -> Future[Chunk] | None:
        path = _path(thing)
        return None if path is None else self.pool.submit(path)

    def _take(self, thing: Thing, begun: Future[Chunk] | None) -> Held:
        path, asked = _path(thing), thing if isinstance(thing, Part) else None
        if path is None or begun is None:
            part = thing if isinstance(thing, Part) else Part(Modality.TEXT, str(thing))
            return Held(part.modality, {part.modality: passages(part, self._reading)[:PARTS]})
        chunk = placed(begun.result(), asked.modality if asked else None, self._takes)
        kind = asked.modality if asked else _kind(chunk)
        found: dict[Modality, list[Part]] = {}
        while True:
            for piece in chunk.parts:
                if (asked is None or _overlap(piece, asked)) and len(found.get(piece.modality, ())) < PARTS:
                    found.setdefault(piece.modality, []).append(replace(piece, file=None))
            if chunk.next is None or len(found.get(kind, ())) == PARTS or (asked and _past(chunk, asked)):
                break
            chunk = self.pool.submit(path, chunk.next).result()
        if asked is not None and kind not in found:  # an animated picture is a picture
            kind = next(iter(belonging(kind, path, found)), kind)
        if asked is None and not (kind in found and kind in self._known):
            kind = next((modality for modality in found if modality in self._known), kind)
        return Held(kind, found)


def encoded(
    read: Iterable[list[Part] | DuretrievalError], encode: Encode[Rows]
) -> Iterator[tuple[Modality, Rows] | DuretrievalError]:
    """What `Road.read_all` gives as rows: for each thing, in order, its modality and (w, dim), a row a part.

    Where encode gives sequences, a list of those of its parts.
    """
    batch: list[list[Part] | DuretrievalError] = []
    for found in read:
        batch.append(found)
        if sum(len(parts) for parts in batch if isinstance(parts, list)) >= BATCH:
            yield from _encoded(batch, encode)
            batch = []
    yield from _encoded(batch, encode)


def passages(part: Part, reading: Reading) -> list[Part]:
    """A text that is longer than a passage as its passages, cut as those of a text file; any other part as it is."""
    text = part.content
    if not isinstance(text, str) or width(text) <= reading.passage_chars:
        return [part]
    begin = part.start_char or 0
    return [
        replace(part, content=text[start:end], start_char=begin + start, end_char=begin + end)
        for start, end in split(text, reading.passage_chars)
    ] or [part]


def _encoded(
    batch: Sequence[list[Part] | DuretrievalError], encode: Encode[Rows]
) -> Iterator[tuple[Modality, Rows] | DuretrievalError]:
    flat = [part for parts in batch if isinstance(parts, list) for part in parts]
    try:
        rows = encode(flat) if flat else None
    except (MediaError, ModelError, ShapeError) as error:  # one is at fault: find out which, so that it alone pays
        if len(batch) == 1:
            yield error
            return
        for found in batch:
            yield from _encoded([found], encode)
        return
    start = 0
    for found in batch:
        if isinstance(found, DuretrievalError):
            yield found
            continue
        assert rows is not None
        yield found[0].modality, rows[start : start + len(found)]
        start += len(found)


def _path(thing: Thing) -> Path | None:
    content = thing.content if isinstance(thing, Part) else thing
    return content if isinstance(content, Path) else None


def _kind(chunk: Chunk) -> Modality:
    """As the file's metadata says."""
    said = chunk.fields.get("kind") or next((part.modality for part in chunk.parts), Modality.TEXT)
    return Modality(str(said))


def _overlap(piece: Part, wanted: Part) -> bool:
    if piece.start_s is None or piece.end_s is None:
        return True
    after = wanted.start_s is None or piece.end_s > wanted.start_s
    return after and (wanted.end_s is None or piece.start_s < wanted.end_s)


def _past(chunk: Chunk, wanted: Part) -> bool:
    """Whether all that follows lies behind what is wanted."""
    starts = [piece.start_s for piece in chunk.parts if piece.start_s is not None]
    return wanted.end_s is not None and bool(starts) and min(starts) >= wanted.end_s
