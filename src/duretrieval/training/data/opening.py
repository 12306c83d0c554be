"""Data by the reader that a recipe names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from duretrieval.errors import ConfigError
from duretrieval.media.relations import read_relations
from duretrieval.training.data.read import Problem, Read
from duretrieval.training.recipe.parts import make
from duretrieval.training.recipe.recipe import Data, Use


def read_data(data: Data, path: str | Path) -> Read:
    """What `data.reader` makes of a file or folder.

    Raises:
        UnknownPart, MissingExtra: as `parts.find`.
        ConfigError: there is nothing at the path, or no row can be used, or the reader has no such option.
    """
    path = Path(path)
    if not path.exists():
        raise ConfigError(f"there is no data at {path}; give the file or folder that reader {data.reader!r} reads")
    found: Read = make("train.readers", Use(data.reader, data.options), {}, {"path": path})
    if not found.samples:
        why = f": {found.problems[0]}" if found.problems else ""
        raise ConfigError(f"no row of {path} can be used by the reader {data.reader!r}{why}")
    return found if data.relations.file is None else with_relations(found, _beside(path) / data.relations.file)


def with_relations(found: Read, file: Path) -> Read:
    """The samples with what a file says of the rows that they are related to.

    Raises:
        ConfigError: as `read_relations`.
    """
    said = read_relations(file)
    mine: dict[str, list[tuple[str, str]]] = {}
    for relation in said.relations:
        mine.setdefault(relation.item, []).append((relation.kind, relation.other))
    samples = [
        replace(s, related=(*s.related, *mine[s.row or s.id])) if (s.row or s.id) in mine else s for s in found.samples
    ]
    strange = [id_ for id_ in mine if id_ not in {s.row or s.id for s in samples}]
    problems = [Problem(None, None, problem, used=True) for problem in said.problems]
    if strange:
        few = ", ".join(map(repr, strange[:3])) + (f" and {len(strange) - 3:,} more" if len(strange) > 3 else "")
        problems.append(Problem(file, None, f"relations of what is no row are left out: {few}", used=True))
    return Read(tuple(samples), (*found.problems, *problems))


def _beside(path: Path) -> Path:
    """The folder of the data, which its paths are from."""
    return path if path.is_dir() else path.parent
