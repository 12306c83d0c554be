"""A table whose rows belong together: JSONL, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from duretrieval.media.cells import BadCell
from duretrieval.media.tables import records
from duretrieval.training.data.read import Problem, Read
from duretrieval.training.data.rows import roles, samples_of
from duretrieval.training.data.sample import Sample


def read_manifest(path: Path | str, columns: Mapping[str, str] | None = None) -> Read:
    """Pairs, triples, or any number of columns: texts, pictures, films and sounds, with label, key, group and split.

        {"id": "7", "text": "a red bus", "image": "bus.jpg", "label": "vehicle"}

    columns: what columns are that are not called as in `rows.ROLES`, or are something else here: column -> text,
    image, video, audio, file (found out from its content), label, key, group, split, id, start, end (seconds of the
    row's films and sounds), ignore.  Paths are relative to the manifest's folder.  A list in a text or file column
    makes a sample for each of its entries; in CSV, "|" separates paths.  An id that is not given is
    `manifest.csv#line`.

    Raises:
        ConfigError: there is no such file, it is none of the three formats, or a role does not exist.
    """
    path = Path(path)
    known = roles(columns)
    samples: list[Sample] = []
    problems: list[Problem] = []
    for record in records(path):
        try:
            if record.problem is not None:
                raise BadCell(record.problem)
            samples.extend(samples_of(record, path.absolute().parent, known, f"{path.name}#{record.line}"))
        except BadCell as error:
            problems.append(Problem(path, record.line, str(error)))
    return Read(tuple(samples), tuple(problems))
