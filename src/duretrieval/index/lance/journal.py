"""What a store remembers beside Lance: the hash of every file, and which items were taken out.

Lance keeps no checksums, and goes back to the version before where the newest is gone. So a line is added to `_journal`
for every commit: files with their SHA-256, items that were removed (before they are), and those that came again. A line
begins with its own CRC-32, so that a damaged one is told; what follows the last end of line was cut short by a kill.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duretrieval import whole
from duretrieval.whole import sha256

JOURNAL = "_journal"
_FOLDERS = ("data", "_deletions", "_indices", "_transactions", "_versions")
_HINT = "latest_version_hint.json"  # Lance writes it anew each time, and does without


@dataclass(slots=True)
class Record:
    """What the journal says."""

    store: Mapping[str, Any] = field(default_factory=dict)
    """`dim`, `metadata` as `create` was given it, and whether the journal is `complete`."""
    removed: set[str] = field(default_factory=set)
    """Ids of items that were taken out and did not come again."""
    files: dict[str, str] = field(default_factory=dict)
    """Path within the store -> SHA-256."""
    lost: dict[str, str] = field(default_factory=dict)
    """id -> source of what was lost when the store was mended, until somebody has been told."""
    back: bool = False
    """Whether the newest version was lost then."""
    damaged: bool = False
    """Some line cannot be read, so something may be missing above."""

    @property
    def complete(self) -> bool:
        """Whether it was kept from the beginning, so that `removed` is all that was."""
        return bool(self.store.get("complete")) and not self.damaged


class Journal:
    """The journal of the store in a folder; one process writes to it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / JOURNAL
        self._known: Record | None = None

    @property
    def record(self) -> Record:
        """What was written up to now."""
        if self._known is None:
            self._known = read(self._folder) or Record()
        return self._known

    def begin(self, dim: int, metadata: Mapping[str, str], *, complete: bool, mended: Record | None = None) -> None:
        """Say what store it is, where that has not been said.

        complete: whether nothing was removed before that is not in the record.  mended: what is known of the store that
        this one was made of.
        """
        if not self.record.store:
            self._known = mended or Record()
            self._known.store = {"dim": dim, "metadata": dict(metadata), "complete": complete}
            self.tidy()

    def told(self) -> None:
        """Somebody knows what was lost."""
        if self.record.lost or self.record.back:
            self.record.lost, self.record.back = {}, False
            self.tidy()

    def removing(self, ids: Collection[str]) -> None:
        """Items are about to be taken out."""
        self._add({"removed": sorted(ids)})
        self.record.removed.update(ids)

    def came(self, ids: Iterable[str]) -> None:
        """Items are there; of those that had been taken out, forget it."""
        if again := self.record.removed.intersection(ids):
            self._add({"again": sorted(again)})
            self.record.removed -= again

    def commit(self) -> None:
        """Hash the files that are new."""
        new = {name: sha256(path) for name, path in files(self._folder) if name not in self.record.files}
        if new:
            self._add({"files": new})
            self.record.files.update(new)

    def tidy(self) -> None:
        """Hash the files that are new, and forget those that are gone."""
        known, there = self.record, dict(files(self._folder))
        known.files = {name: known.files.get(name) or sha256(path) for name, path in there.items()}
        row = {"store": known.store, "removed": sorted(known.removed), "files": known.files}
        whole.write(self._path, _line({**row, "lost": known.lost, "back": known.back}))

    def _add(self, row: Mapping[str, Any]) -> None:
        with self._path.open("r+b") as file:
            content = file.read()
            file.truncate(file.seek(content.rfind(b"\n") + 1))  # what a kill cut short
            file.write(_line(row).encode())


def read(folder: Path) -> Record | None:
    """The journal of the store in `folder`; None where there is none."""
    path = folder / JOURNAL
    if not path.exists():
        return None
    found = Record()
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return Record(damaged=True)
    for row in map(_row, lines):
        if row is None:
            found.damaged = True
            continue
        found.store = row.get("store") or found.store
        found.removed.update(row.get("removed", ()))
        found.removed.difference_update(row.get("again", ()))
        found.files.update(row.get("files", {}))
        found.lost.update(row.get("lost", {}))
        found.back |= row.get("back", False)
    found.damaged |= not found.store
    return found


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file of Lance's, by its path within the store."""
    for name in _FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            if path.name != _HINT and path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _line(row: Mapping[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=True)
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _row(line: bytes) -> dict[str, Any] | None:
    crc, _, text = line.partition(b" ")
    try:
        return json.loads(text) if int(crc, 16) == zlib.crc32(text) else None
    except ValueError:
        return None
