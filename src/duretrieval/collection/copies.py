"""Files with the content of one that is stored: where it lay, whether it has moved, and its vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from duretrieval.collection import storable
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.folders import gone as is_gone
from duretrieval.types import Array, Item


@dataclass(slots=True)
class _Kept:
    """The stored items of one content."""

    ids: list[str] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    """(id, source) of those whose file is gone from its place."""


class Copies:
    """The stored items by content, for one run.

    A content is looked up once and its items looked at once each, so a thousand copies cost a thousand steps, not a
    million.  usable: only items without a problem count, because problems are to be tried again.
    """

    def __init__(self, store: LanceStore, *, usable: bool) -> None:
        self._store = store
        self._usable = usable
        self._known: dict[str, _Kept] = {}
        self._last: tuple[str, tuple[Item, Array]] | None = None

    def learn(self, digests: Iterable[str]) -> None:
        """Look up the contents that were not met yet."""
        new = sorted({digest for digest in digests if digest and digest not in self._known})
        for digest, found in self._store.copies(new, usable=self._usable).items():
            gone = [(id_, source) for id_, source in found if is_gone(storable.path(source))]
            self._known[digest] = _Kept([id_ for id_, _ in found], gone)

    def moved(self, digest: str, source: str) -> str | None:
        """The id of an item whose file is gone, for the file at `source` to take over; each is given once."""
        gone = self._known[digest].gone if digest in self._known else []
        at = next((at for at, (_, old) in enumerate(gone) if old != source), None)
        return None if at is None else gone.pop(at)[0]

    def like(self, digest: str, id_: str | None = None) -> tuple[Item, Array] | None:
        """An item with this content, and its vectors: the one with this id, or any."""
        ids = self._known[digest].ids if digest in self._known else []
        while id_ or ids:
            chosen = id_ or ids[0]
            if self._last is None or self._last[0] != chosen or self._last[1][0].digest != digest:
                self._last = self._fetch(chosen)
            if self._last and self._last[1][0].digest == digest:
                return self._last[1]
            ids.remove(chosen)  # its file has changed since
            id_ = None
        return None

    def _fetch(self, id_: str) -> tuple[str, tuple[Item, Array]] | None:
        found = self._store.get([id_])
        return (id_, (found[0], self._store.vectors([id_])[id_])) if found else None
