"""A table whose rows belong together: JSONL, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from duretrieval.media import manifest
from duretrieval.media.manifest import Row
from duretrieval.training.data.read import Problem, Read
from duretrieval.training.data.rows import held_by, samples_of
from duretrieval.training.data.sample import Sample


def read_manifest(path: Path | str, columns: Mapping[str, str] | None = None) -> Read:
    """Pairs, triples, or any number of columns: texts, pictures, films and sounds, with label, key, group and split.

        {"id": "7", "text": "a red bus", "image": "bus.jpg", "label": "vehicle"}

    columns: what columns are that are not called as in `media.roles.NAMES`, or are something else here: column ->
    role, such as text, image, label, start (seconds of the row's films and sounds) or ignore.  Paths are relative to
    the manifest's folder.  A list in a text or file column makes a sample for each of its entries; in CSV, "|"
    separates paths.  An id that is not given is `manifest.csv#line`.

    Raises:
        ConfigError: as `media.manifest.read_manifest`.
    """
    return read_rows(manifest.read_manifest(path, columns))


def read_rows(rows: Iterable[Row]) -> Read:
    """Rows as samples."""
    held = list(rows)
    kinds = held_by(held)
    given = {row.given for row in held}
    samples: list[Sample] = []
    problems: list[Problem] = []
    for row in held:
        default = f"{row.manifest.name}#{row.number}"
        while default in given:  # an id that somebody gave stays theirs
            default += "'"
        found, faults = samples_of(row, kinds, default)
        samples.extend(found)
        problems.extend(faults)
    return Read(tuple(samples), tuple(problems))
