"""Training data ready for a recipe: columns, splits without leaks, rows of frozen encoders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.media.limits import Limits
from duretrieval.training.augment.composed import compose
from duretrieval.training.build.encoders import Encoders, make_encoders
from duretrieval.training.build.features import features
from duretrieval.training.build.relate import relate
from duretrieval.training.build.teaching import taught_rows
from duretrieval.training.data.batches import Column, Rows, keys_of
from duretrieval.training.data.checks import unusable
from duretrieval.training.data.decoders import Decoders
from duretrieval.training.data.divided import digest_of
from duretrieval.training.data.examples import Examples
from duretrieval.training.data.feature_cache import FORMAT, FeatureCache
from duretrieval.training.data.identity import identify
from duretrieval.training.data.left_out import LeftOut
from duretrieval.training.data.negatives import negatives_of
from duretrieval.training.data.positives import positives
from duretrieval.training.data.read import SPLITS
from duretrieval.training.data.sample import Sample, columns_of
from duretrieval.training.data.splits import Splits, split
from duretrieval.training.data.taught import Taught
from duretrieval.training.nets.builtin import user_cache
from duretrieval.training.recipe.recipe import Recipe, alone, view_name, with_views
from duretrieval.types import Array, Floats, Modality

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
    left_out: LeftOut
    """What could not be read any more in the middle of the run."""
    decoders: Decoders
    """What reads the files of encoders that learn."""
    digest: str
    """Changes when the rows, their split, their relations, or the files they name do."""
    limits: Limits
    """With which files are read."""
    kinds: Sequence[str] = ()
    """Of the neighbours that rows of training have."""


def prepare(
    recipe: Recipe,
    samples: Sequence[Sample],
    *,
    limits: Limits | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Prepared:
    """Split the samples, make the encoders, and compute (or find) the rows of the frozen ones.

    cache: the folder for rows of frozen encoders; None is `duretrieval/features` in `XDG_CACHE_HOME`, or in ~/.cache.
    tell: told of each file that is left out in the middle of the run; None: the log is.

    Raises:
        ConfigError: a view names a column that no row has, or a split that is needed is empty.
    """
    limits = limits or Limits()
    columns = columns_of(samples)
    recipe = with_views(recipe, columns)
    parts = _divided(samples, recipe, limits)
    texts = [p.content for s in parts["train"] for p in s.columns.values() if isinstance(p.content, str)]
    used = {name: m for name, m in columns.items() if any(name in view for view in recipe.views)}
    encoders = make_encoders(recipe, used.values(), texts)
    against = {name: negatives_of(parts[name], used) for name in SPLITS}
    everything = [sample for name in SPLITS for sample in (*parts[name], *against[name].samples)]
    kept = partial(_feature_cache, cache or user_cache() / "features", encoders, recipe.data.tokens_gb)
    held, problems = _encode_columns(used, everything, encoders, limits, kept, progress)
    classes = list(dict.fromkeys(s.label for s in parts["train"] if s.label is not None))
    keys = keys_of(everything)
    views = {view_name(view): view for view in recipe.views}
    taught: dict[str, Array] = {}
    if recipe.teacher:
        place = cache or user_cache() / "features"
        taught = taught_rows(recipe.teacher, used, views, everything, limits, place, progress)
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers.get(s.label, -1) for s in everything], dtype=np.int64)
    augment = compose(recipe.augment) if recipe.augment else None
    left_out, decoders = LeftOut(tell), Decoders(encoders.reading, limits, _decoders(recipe))
    rows, start = {}, 0
    for name in SPLITS:
        mine = (*parts[name], *against[name].samples)
        at = slice(start, start + len(mine))
        start = at.stop
        cut = {c: column.cut(at) for c, column in held.items()}
        learning, examples = name == "train", None
        if encoders.nets:
            read, change = _read_again(mine, cut), augment if learning else None
            examples = Examples(read, augment=change, seed=recipe.seed, training=learning, decoders=decoders)
        present = {c: column.present.tolist() for c, column in cut.items()}
        rows[name] = Rows(
            cut,
            keys[at],
            labels[at],
            examples,
            left_out=left_out,
            positives=positives(mine, {**views, **alone(recipe.views)}, present, recipe.positives),
            against=against[name].places,
            scores=_scores(mine),
            taught=Taught({view: held[at] for view, held in taught.items()}) if taught else None,
        )
    kinds, unused = relate(recipe, parts, rows, held)
    problems += unused
    return Prepared(
        recipe, used, rows, parts, encoders, classes, problems, left_out, decoders, digest_of(parts), limits, kinds
    )


def _divided(samples: Sequence[Sample], recipe: Recipe, limits: Limits) -> Splits:
    """Said before encoders are fetched and files encoded: splits that are too small to learn from, or to judge by."""
    data = recipe.data
    shares = {"train": 1 - data.val - data.test, "val": data.val, "test": data.test}
    known = identify(samples, near=data.near_duplicates, texts=data.texts, limits=limits)
    parts = split(samples, shares, recipe.seed, radius=data.nearness, identities=known)
    if len(parts["train"]) < 2 or len(parts["val"]) < 2:
        raise ConfigError(
            f"of {len(samples)} usable rows, {len(parts['train'])} are for training and {len(parts['val'])} for "
            "validation; each needs at least 2. Give more rows, or other shares in [data]"
            + "".join(f". {note[0].upper()}{note[1:]}" for note in parts.notes)
        )
    return parts


def _decoders(recipe: Recipe) -> int:
    """Those of one device."""
    return recipe.fit.workers or max(1, (os.cpu_count() or 1) // recipe.fit.devices)


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


def _encode_columns(
    columns: Mapping[str, Modality],
    samples: Sequence[Sample],
    encoders: Encoders,
    limits: Limits,
    cache: Callable[[Modality], FeatureCache],
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
            store = cache(modality)
            rows, starts, bad = features(encoders.frozen[modality], parts, encoders.reading, limits, store, done)
        for place, reason in bad.items():
            present[place] = False
            problems.append(f"{samples[place].id}, {name}: {reason}")
        held[name] = Column(modality, present, rows, encoders.nets.get(modality), starts)
    return held, problems


def _feature_cache(folder: Path, encoders: Encoders, tokens_gb: float, modality: Modality) -> FeatureCache:
    """Of a frozen encoder's rows; tokens may take so much and no more."""
    place = folder / f"{encoders.identities[modality]}-{_reading_digest(encoders)}"
    return FeatureCache(place, tokens_gb if modality in encoders.tokens else None)


def _reading_digest(encoders: Encoders) -> str:
    return hashlib.sha256(f"{FORMAT} {encoders.reading!r}".encode()).hexdigest()[:8]
