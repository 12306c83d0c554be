"""A teacher: any model folder, whose vectors of the rows are computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.training.build.encoders import identity
from duretrieval.training.build.features import features
from duretrieval.training.build.frozen import from_model
from duretrieval.training.data.feature_cache import FORMAT, FeatureCache
from duretrieval.training.data.fused import fused
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
    read: dict[str, list[list[Array] | None]] = {}
    for name, modality in columns.items():
        tokens = model.tokens.get(modality, 0)
        frozen = from_model(modality, teacher, opened, tokens)
        spec = Encoding(options={} if teacher == "builtin" else {"model": teacher}, tokens=tokens)
        store = FeatureCache(cache / f"{identity(frozen, spec, modality)}-{digest}")
        parts = [sample.columns.get(name) for sample in samples]
        done = (lambda n, what=name: progress(what, n, len(samples))) if progress else None
        rows, starts, _ = features(frozen, parts, model.reading, limits, store, done)
        windows = np.split(rows, len(parts) if starts is None else starts[1:-1])
        read[name] = [([held] if tokens else list(held[:, None])) if held.any() else None for held in windows]
    return {view: fused(model, {name: read[name] for name in names}, columns) for view, names in views.items()}
