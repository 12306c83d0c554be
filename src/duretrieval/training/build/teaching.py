"""A teacher: any model folder, whose vectors of the rows are computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.similarity import unit
from duretrieval.training.build.encoders import identity
from duretrieval.training.build.features import features
from duretrieval.training.build.frozen import from_model
from duretrieval.training.data.batches import Column
from duretrieval.training.data.feature_cache import FORMAT, FeatureCache
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.recipe import Encoding
from duretrieval.types import Array, Modality

Progress = Callable[[str, int, int], None]
"""What is being done, how many of it are done, and how many there are."""


def taught_rows(
    teacher: str,
    columns: Mapping[str, Modality],
    views: Mapping[str, Sequence[str]],
    samples: Sequence[Sample],
    limits: Limits,
    cache: Path,
    progress: Progress | None = None,
) -> dict[str, Array]:
    """View -> (n, width): the teacher's vector of what each sample holds there, zeros where it reads nothing of it.

    Of several columns it is what the teacher's fusion makes of them, or without one their unit mean.

    Raises:
        ModelError: there is no such model, or it does not know a modality.
    """
    model = Model.load(teacher)
    digest = hashlib.sha256(f"{FORMAT} {model.reading!r}".encode()).hexdigest()[:8]
    opened = {teacher: model}
    rows: dict[str, Array] = {}
    for name, modality in columns.items():
        frozen = from_model(modality, teacher, opened)
        spec = Encoding(options={} if teacher == "builtin" else {"model": teacher})
        store = FeatureCache(cache / f"{identity(frozen, spec, modality)}-{digest}")
        parts = [sample.columns.get(name) for sample in samples]
        done = (lambda n, what=name: progress(what, n, len(samples))) if progress else None
        held, starts, _ = features(frozen, parts, model.reading, limits, store, done)
        rows[name] = Column(modality, np.ones(len(samples), bool), held, starts=starts).means()
    return {view: _view(model, {name: columns[name] for name in names}, rows) for view, names in views.items()}


def _view(model: Model, columns: Mapping[str, Modality], rows: Mapping[str, Array]) -> Array:
    """(n, width)"""
    parts: dict[Modality, Array] = {}
    for name, modality in columns.items():
        parts[modality] = parts[modality] + rows[name] if modality in parts else rows[name]
    if model.fusion is None:
        return unit(np.sum(list(parts.values()), axis=0, dtype=np.float32))
    n = len(next(iter(parts.values())))
    out = np.zeros((n, model.dim), dtype=np.float32)
    there = np.stack([part.any(axis=1) for part in parts.values()], axis=1)
    for pattern in np.unique(there[there.any(axis=1)], axis=0):
        at = np.flatnonzero((there == pattern).all(axis=1))
        out[at] = model.fuse({m: unit(part[at]) for (m, part), has in zip(parts.items(), pattern, strict=True) if has})
    return out
