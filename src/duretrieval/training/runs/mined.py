"""Hard negatives as data: a manifest with a column of them, for whatever trains on it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duretrieval import whole
from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.together import USUAL, check_positives
from duretrieval.media.limits import Limits
from duretrieval.media.relations import RELATED
from duretrieval.media.roles import Roles
from duretrieval.training.build.teaching import Progress, taught_rows
from duretrieval.training.data.batch import View
from duretrieval.training.data.opening import read_data
from duretrieval.training.data.positives import positives
from duretrieval.training.data.sample import Sample, columns_of
from duretrieval.training.fit.mining import SKIP, mine
from duretrieval.training.nets.builtin import user_cache
from duretrieval.training.recipe.recipe import Data
from duretrieval.types import Modality, Part

COLUMN = "negatives"


@dataclass(frozen=True, slots=True)
class Mined:
    """What was written."""

    rows: int
    having: int
    """Rows that have a mined negative."""
    negatives: int
    ask: str
    among: str
    columns: Mapping[str, str]
    """What has to be said of its columns where it is read: column -> role; the others say it by their names."""
    problems: int
    """Rows that could not be read, or not wholly."""


def write_negatives(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    settings: Data | None = None,
    ask: str | None = None,
    among: str | None = None,
    count: int = 5,
    skip: int = SKIP,
    margin: float | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Mined:
    """Write the rows as JSON lines, each with what a model finds near its column `ask` in the column `among` of other
    rows and what does not belong to it.

    model: a model folder, `builtin`, or the folder of a run.  settings: how rows are read, and what belongs together.
    ask, among: None where the rows have two columns, which are these, in order.  count, skip, margin: as `mine`.

    Raises:
        ConfigError: there is no such column, a number that cannot be, or `out` is the data itself.
        ModelError: there is no such model.
        MissingExtra: Faiss is not installed.
    """
    data, out, settings = Path(data), Path(out), settings or Data()
    names = settings.positives or USUAL
    check_positives(names)
    if count < 1 or skip < 0 or (margin is not None and not 0 <= margin < 1):
        raise ConfigError(
            f"count is {count}, skip {skip} and margin {margin}; they must be at least 1, at least 0, and from 0 to "
            "below 1"
        )
    if out.exists() and data.exists() and out.samefile(data):
        raise ConfigError(f"{out} is the data itself; write the rows with negatives somewhere else")
    read = read_data(settings, data)
    samples = read.samples
    columns = columns_of(samples)
    ask, among = _sides(columns, ask, among)
    used = {name: columns[name] for name in (ask, among)}
    if any(isinstance(s.columns[among].content, np.ndarray) for s in samples if among in s.columns):
        raise ConfigError(
            f"the column {among!r} holds vectors in its rows, and a negative is a text or a file; write each to a .npy "
            "file, and its path in the row"
        )
    views = _views(model, used, samples, cache or user_cache() / "features", progress)
    present: dict[str, list[bool]] = {c: view.present.tolist() for c, view in views.items()}
    known = positives(samples, {c: [c] for c in used}, present, names)
    found = mine(views, known, len(samples), count, skip, margin=margin, pairs=[(ask, among)])
    lists = [[samples[place].columns[among] for place in row if place >= 0] for row in found.tolist()]
    _write(out, samples, lists, among)
    return Mined(
        rows=len(samples),
        having=sum(map(bool, lists)),
        negatives=sum(map(len, lists)),
        ask=ask,
        among=among,
        columns=_said(columns, samples, among),
        problems=len(read.problems)
        + sum(there.count(False) for there in present.values())
        - sum(name not in sample.columns for sample in samples for name in used),
    )


def _views(
    model: str | Path,
    columns: Mapping[str, Modality],
    samples: Sequence[Sample],
    cache: Path,
    progress: Progress | None,
) -> dict[str, View]:
    """Each column by itself, as the model makes it."""
    folder = Path(model) / "model"
    opened = str(folder if (folder / "model.toml").is_file() else model)
    rows = taught_rows(opened, columns, {c: [c] for c in columns}, samples, Limits(), cache, progress)
    return {c: View(made := torch.from_numpy(held), made.any(dim=1)) for c, held in rows.items()}


def _write(out: Path, samples: Sequence[Sample], lists: Sequence[Sequence[Part]], among: str) -> None:
    ids: dict[str, list[str]] = {}
    for sample in samples:
        ids.setdefault(sample.row or sample.id, []).append(sample.id)
    rows = [_row(sample, mined, among, out, ids) for sample, mined in zip(samples, lists, strict=True)]
    whole.write(out, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


def _sides(columns: Mapping[str, Modality], ask: str | None, among: str | None) -> tuple[str, str]:
    rest = [name for name in columns if name not in (ask, among)]
    ask = ask or (rest.pop(0) if len(columns) == 2 else None)
    among = among or (rest.pop(0) if len(columns) == 2 and rest else None)
    for name in (ask, among):
        if name not in columns or ask == among:
            raise ConfigError(
                f"what asks is {ask!r} and what is searched {among!r}; say which two of the columns: "
                f"{', '.join(columns)}"
            )
    return str(ask), str(among)


def _row(
    sample: Sample, mined: Sequence[Part], among: str, out: Path, known: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """known: id of a row -> those of the samples it was, where its lists made several."""
    row: dict[str, Any] = {"id": sample.id, **{name: _cell(part, out) for name, part in sample.columns.items()}}
    facts = {"label": sample.label, "key": sample.key, "group": sample.group, "split": sample.split}
    row |= {name: fact for name, fact in facts.items() if fact}
    for kind, other in sample.related:
        row.setdefault(_related(kind), []).extend(known.get(other, [other]))
    if sample.score is not None:
        row["score"] = sample.score
    timed = next((part for part in sample.columns.values() if part.start_s is not None or part.end_s is not None), None)
    if timed is not None:
        row |= {name: at for name, at in (("start", timed.start_s), ("end", timed.end_s)) if at is not None}
    for name, parts in {among: (), **sample.negatives}.items():
        cells = [_cell(part, out) for part in (*parts, *(mined if name == among else ()))]
        row |= {_column(name, among): list(dict.fromkeys(cells))} if cells else {}
    return row


def _related(kind: str) -> str:
    return RELATED if kind == RELATED else f"{RELATED} by {kind}"


def _column(name: str, among: str) -> str:
    return COLUMN if name == among else f"{COLUMN} of {name}"


def _cell(part: Part, out: Path) -> Any:
    """A text; a file by its path from where the manifest is; a vector as numbers."""
    if isinstance(part.content, np.ndarray):
        return part.content.tolist()
    if isinstance(part.content, Path):
        return Path(os.path.relpath(part.content.absolute(), out.absolute().parent)).as_posix()
    return str(part.content)


def _is_vector(part: Part) -> bool:
    content = part.content
    return isinstance(content, np.ndarray) or (isinstance(content, Path) and content.suffix in (".npy", ".npz"))


def _said(columns: Mapping[str, Modality], samples: Sequence[Sample], among: str) -> dict[str, str]:
    """What the names of the columns do not say."""
    usual = Roles()
    given = {name for sample in samples for name, part in sample.columns.items() if _is_vector(part)}
    said = {
        name: f"vector:{kind}" if name in given else kind.value
        for name, kind in columns.items()
        if usual(name) != (name, "vector" if name in given else kind.value)
    }
    texts = [name for name, kind in columns.items() if kind is Modality.TEXT]
    default = "positive" if "positive" in texts else texts[0] if len(texts) == 1 else None
    for name in dict.fromkeys((among, *(c for sample in samples for c in sample.negatives))):
        if name != default or name != among:
            said[_column(name, among)] = f"negative:{name}"
    if any(sample.score is not None for sample in samples):
        said["score"] = "score"
    kinds = dict.fromkeys(kind for sample in samples for kind, _ in sample.related)
    return said | {_related(kind): f"related:{kind}" for kind in kinds if kind != RELATED}
