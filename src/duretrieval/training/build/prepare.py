"""Training data ready for a recipe: columns, splits without leaks, rows of frozen encoders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from duretrieval.errors import ConfigError, MediaError
from duretrieval.media.limits import Limits
from duretrieval.training.build.encoders import Encoders, make_encoders
from duretrieval.training.build.features import features
from duretrieval.training.build.teaching import taught_rows
from duretrieval.training.data.batches import Column, Rows, keys_of
from duretrieval.training.data.checks import unusable
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.feature_cache import FORMAT, FeatureCache, content_digest
from duretrieval.training.data.identity import identify
from duretrieval.training.data.positives import positives
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.splits import Splits, split
from duretrieval.training.data.taught import Taught
from duretrieval.training.recipe.recipe import Recipe, alone, view_name, with_views
from duretrieval.types import Array, Floats, Ints, Modality, Part

SPLITS = ("train", "val", "test")

Progress = Callable[[str, int, int], None]
"""What is being done, how many of it are done, and how many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The data of a run."""

    recipe: Recipe
    """With its views named."""
    columns: Mapping[str, Modality]
    rows: Mapping[str, Rows]
    """split -> its rows"""
    samples: Splits
    encoders: Encoders
    classes: Sequence[str]
    """Names of the classes of the training rows; a label is a place here."""
    problems: Sequence[str]
    """Rows that could not be used, with the reason."""
    digest: str
    """Changes when the rows, their split, or the files they name do."""


def prepare(
    recipe: Recipe,
    samples: Sequence[Sample],
    *,
    limits: Limits | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Split the samples, make the encoders, and compute (or find) the rows of the frozen ones.

    cache: the folder for rows of frozen encoders; None is `duretrieval/features` in `XDG_CACHE_HOME`, or in ~/.cache.

    Raises:
        ConfigError: a view names a column that no row has, or a split that is needed is empty.
    """
    limits = limits or Limits()
    columns = _columns(samples)
    recipe = with_views(recipe, columns)
    data = recipe.data
    shares = {"train": 1 - data.val - data.test, "val": data.val, "test": data.test}
    known = identify(samples, near=data.near_duplicates, texts=data.texts, limits=limits)
    parts = split(samples, shares, recipe.seed, radius=data.nearness, identities=known)
    texts = [p.content for s in parts["train"] for p in s.columns.values() if isinstance(p.content, str)]
    used = {name: m for name, m in columns.items() if any(name in view for view in recipe.views)}
    encoders = make_encoders(recipe, used.values(), texts)
    against = {name: _negatives(parts[name], used) for name in SPLITS}
    everything = [sample for name in SPLITS for sample in (*parts[name], *against[name].samples)]
    held, problems = _encode_columns(used, everything, encoders, limits, cache or user_cache(), progress)
    classes = list(dict.fromkeys(s.label for s in parts["train"] if s.label is not None))
    keys = keys_of(everything)
    views = {view_name(view): view for view in recipe.views}
    taught: dict[str, Array] = {}
    if recipe.teacher:
        taught = taught_rows(recipe.teacher, used, views, everything, limits, cache or user_cache(), progress)
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers.get(s.label, -1) for s in everything], dtype=np.int64)
    rows, start = {}, 0
    for name in SPLITS:
        mine = (*parts[name], *against[name].samples)
        at = slice(start, start + len(mine))
        start = at.stop
        cut = {c: column.cut(at) for c, column in held.items()}
        augment = _augmentation(recipe) if name == "train" and recipe.augment else None
        examples = None
        if encoders.nets:
            read = _read_again(mine, cut)
            examples = Examples(read, encoders.reading, limits, augment, recipe.seed, training=name == "train")
        present = {c: column.present.tolist() for c, column in cut.items()}
        rows[name] = Rows(
            cut,
            keys[at],
            labels[at],
            examples,
            positives=positives(mine, {**views, **alone(recipe.views)}, present, recipe.positives),
            against=against[name].places,
            scores=_scores(mine),
            taught=Taught({view: held[at] for view, held in taught.items()}) if taught else None,
        )
    if len(rows["train"]) < 2 or len(rows["val"]) < 2:
        raise ConfigError(
            f"of {len(everything)} usable rows, {len(rows['train'])} are for training and {len(rows['val'])} for "
            "validation; each needs at least 2. Give more rows, or other shares in [data]"
            + "".join(f". {note[0].upper()}{note[1:]}" for note in parts.notes)
        )
    return Prepared(recipe, used, rows, parts, encoders, classes, problems, _digest(parts))


@dataclass(frozen=True, slots=True, eq=False)
class Negatives:
    """The negatives that samples bring, as samples of their own that follow them."""

    samples: tuple[Sample, ...]
    """One column each, no key and no label: they belong to nothing but what has the same text or file."""
    places: Ints | None
    """(n, h) places of each sample's, -1 is none; None: no sample has any."""


def _negatives(samples: Sequence[Sample], columns: Mapping[str, Modality]) -> Negatives:
    found: list[Sample] = []
    lists: list[list[int]] = []
    for sample in samples:
        mine = [(c, part) for c, parts in sample.negatives.items() if c in columns for part in parts]
        lists.append([len(samples) + len(found) + i for i in range(len(mine))])
        found += [Sample(f"{sample.id}~{i}", {c: part}, split=sample.split) for i, (c, part) in enumerate(mine, 1)]
    if not found:
        return Negatives((), None)
    places = np.full((len(samples), max(map(len, lists))), -1, dtype=np.int64)
    for row, mine_at in zip(places, lists, strict=True):
        row[: len(mine_at)] = mine_at
    return Negatives(tuple(found), places)


def _scores(samples: Sequence[Sample]) -> Floats | None:
    if all(sample.score is None for sample in samples):
        return None
    return np.array([np.nan if sample.score is None else sample.score for sample in samples], dtype=np.float64)


def _read_again(samples: Sequence[Sample], columns: Mapping[str, Column]) -> list[Sample]:
    """The samples with what encoders that learn read of them in each pass: no other columns, no files that are bad."""
    learning = {name: column.present for name, column in columns.items() if column.net is not None}
    return [
        replace(sample, columns={name: sample.columns[name] for name, there in learning.items() if there[place]})
        for place, sample in enumerate(samples)
    ]


def _augmentation(recipe: Recipe) -> Callable[..., Part]:
    from duretrieval.training.augment.composed import compose

    return compose(recipe.augment)


def _columns(samples: Sequence[Sample]) -> dict[str, Modality]:
    """Every column, in order of appearance."""
    found: dict[str, Modality] = {}
    for sample in samples:
        for name, part in sample.columns.items():
            if found.setdefault(name, part.modality) is not part.modality:
                raise ConfigError(
                    f"the column {name!r} is {found[name]} in some rows and {part.modality} in row {sample.id}; "
                    "a column has one modality"
                )
    return found


def _encode_columns(
    columns: Mapping[str, Modality],
    samples: Sequence[Sample],
    encoders: Encoders,
    limits: Limits,
    cache: Path,
    progress: Progress | None,
) -> tuple[dict[str, Column], list[str]]:
    held: dict[str, Column] = {}
    problems: list[str] = []
    for name, modality in columns.items():
        parts = [sample.columns.get(name) for sample in samples]
        present = np.array([part is not None for part in parts])
        done = (lambda n, what=name: progress(what, n, len(samples))) if progress else None
        if modality in encoders.nets:
            rows, starts, bad = None, None, unusable(parts, encoders.reading, limits, done)
        else:
            store = FeatureCache(cache / f"{encoders.identities[modality]}-{_reading_digest(encoders)}")
            rows, starts, bad = features(encoders.frozen[modality], parts, encoders.reading, limits, store, done)
        for place, reason in bad.items():
            present[place] = False
            problems.append(f"{samples[place].id}, {name}: {reason}")
        held[name] = Column(modality, present, rows, encoders.nets.get(modality), starts)
    return held, problems


def _reading_digest(encoders: Encoders) -> str:
    return hashlib.sha256(f"{FORMAT} {encoders.reading!r}".encode()).hexdigest()[:8]


def _digest(parts: Splits) -> str:
    held = hashlib.sha256()
    for name in SPLITS:
        for sample in parts[name]:
            held.update(f"{name}\0{sample.id}\0{sample.key}\0{sample.label}\0".encode())
            if sample.score is not None:
                held.update(f"{sample.score}\0".encode())
            for column, part in sample.parts():
                held.update(column.encode() + _known(part))
    return held.hexdigest()[:16]


def _known(part: Part) -> bytes:
    try:
        return content_digest(part)
    except MediaError:
        return b"missing"


def user_cache() -> Path:
    """Where rows of frozen encoders are kept when no other folder is named."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duretrieval" / "features"
