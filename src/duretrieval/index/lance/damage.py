"""Which files of a store are damaged or missing; the store itself need not open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import lance

from duretrieval.index.lance import address, journal
from duretrieval.index.lance.failures import is_failure, reason
from duretrieval.index.lance.fault import Fault
from duretrieval.whole import sha256

_LAST = 2**64 - 1  # a manifest is named by how far its version is from here


def damage(uri: str | Path) -> list[Fault]:
    """The damaged files of the store at `uri`, by their paths within it; none for object storage."""
    folder = address.folder(uri)
    if folder is None:
        return []
    record = journal.read(folder)
    found = dict(changed(folder, record.files if record else {}))
    data = newest(folder, found)
    found |= dict(_missing(folder, record.files if record else {}, data))
    for version, name in versions(folder):
        if (data is None or version > data.version) and (problem := _at(folder, version)[1]):
            found.setdefault(name, problem)
    if record is None and data is not None and data.version > 1:
        found[journal.JOURNAL] = "is missing"
    elif record is not None and record.damaged:
        found[journal.JOURNAL] = "is damaged"
    return [Fault(name, problem) for name, problem in sorted(found.items())]


def newest(folder: Path, damaged: Collection[str]) -> Any:
    """The dataset at the newest version whose manifest is sound; None where there is none."""
    for version, name in versions(folder):
        if name not in damaged and (data := _at(folder, version)[0]) is not None:
            return data
    return None


def versions(folder: Path) -> list[tuple[int, str]]:
    """(version, its manifest's path within the store), newest first."""
    found = [path for path in (folder / "_versions").glob("*.manifest") if path.stem.isdigit()]
    return sorted(((_LAST - int(path.stem), f"_versions/{path.name}") for path in found), reverse=True)


def written(known: Iterable[str]) -> int:
    """The newest version whose manifest is among these files; 0: none."""
    found = [Path(name).stem for name in known if name.startswith("_versions/")]
    return max((_LAST - int(stem) for stem in found if stem.isdigit()), default=0)


def files_of(fragment: Any) -> list[str]:
    """The files that a fragment's rows are read from, by their paths within the store."""
    dead = fragment.deletion_file()
    return [*(f"data/{file.path}" for file in fragment.data_files()), *([dead] if dead else [])]


def changed(folder: Path, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files with another SHA-256 than is known of them, each with what is wrong with it."""
    for name, digest in known.items():
        path = folder / name
        try:
            if path.exists() and sha256(path) != digest:
                yield name, "has changed since it was written"
        except FileNotFoundError:
            continue  # another process has tidied up
        except OSError as error:
            yield name, f"cannot be read ({(error.strerror or str(error)).lower()})"


def _missing(folder: Path, known: dict[str, str], data: Any) -> Iterator[tuple[str, str]]:
    """Files of the version that is read, and a version after it."""
    last = written(known)
    if data is None or data.version < last:
        name = f"_versions/{_LAST - last:020}.manifest"
        if last and not (folder / name).exists():
            yield name, "is missing"
    if data is None:
        return
    read = [name for fragment in data.get_fragments() for name in files_of(fragment)]
    indexes = tuple(f"_indices/{part.uuid}/" for index in data.describe_indices() for part in index.segments)
    for name in (*read, *(name for name in known if indexes and name.startswith(indexes))):
        if not (folder / name).exists():
            yield name, "is missing"


def _at(folder: Path, version: int) -> tuple[Any, str | None]:
    """The dataset at a version; or why it cannot be opened."""
    try:
        return lance.dataset(address.location(folder), version=version), None
    except BaseException as error:
        if not is_failure(error):
            raise
        return None, reason(error)
