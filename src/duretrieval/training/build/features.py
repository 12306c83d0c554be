"""The rows of what is frozen, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from duretrieval.collection.reading import read_parts
from duretrieval.errors import MediaError
from duretrieval.media.limits import Limits
from duretrieval.similarity import unit
from duretrieval.training.build.frozen import Frozen
from duretrieval.training.data.feature_cache import BATCH, FeatureCache, Problems, content_digest
from duretrieval.types import Array, Part, Reading


def features(
    encoder: Frozen,
    parts: Sequence[Part | None],
    reading: Reading,
    limits: Limits,
    cache: FeatureCache,
    progress: Callable[[int], None] | None = None,
) -> tuple[Array, Problems]:
    """A row a part, zeros where there is none: (n, dim), and why what could not be read could not.

    Parts of one modality.  A part of several windows or passages has the mean of their rows, made unit.
    progress: told how many parts are done.
    """
    digests, unopened = _digests(parts)
    missing: dict[bytes, int] = {}
    for i, key in enumerate(digests):
        if key is not None and key not in cache:
            missing.setdefault(key, i)
    problems: dict[bytes, str] = {}
    done = len(parts) - len(missing)
    for key, row in _computed(encoder, {k: parts[i] for k, i in missing.items()}, reading, limits):
        if isinstance(row, MediaError):
            problems[key] = str(row)
        else:
            cache.put(key, row)
        done += 1
        if progress:
            progress(done)
    cache.flush()
    out = np.zeros((len(parts), encoder.dim), dtype=np.float32)
    for i, key in enumerate(digests):
        if key is not None and key not in problems:
            out[i] = cache[key]
    return out, unopened | {i: problems[key] for i, key in enumerate(digests) if key in problems}


def _digests(parts: Sequence[Part | None]) -> tuple[list[bytes | None], Problems]:
    found: list[bytes | None] = []
    problems: Problems = {}
    for i, part in enumerate(parts):
        try:
            found.append(None if part is None else content_digest(part))
        except MediaError as error:
            found.append(None)
            problems[i] = str(error)
    return found, problems


def _computed(
    encoder: Frozen, parts: Mapping[bytes, Part | None], reading: Reading, limits: Limits
) -> Iterator[tuple[bytes, Array | MediaError]]:
    """Rows as they come, encoded `BATCH` windows at a time."""
    batch: list[Part] = []
    owners: list[tuple[bytes, int]] = []
    there = [part for part in parts.values() if part is not None]
    for key, found in zip(parts, read_parts(there, reading, limits), strict=True):
        if isinstance(found, MediaError):
            yield key, found
            continue
        batch += found
        owners.append((key, len(found)))
        if len(batch) >= BATCH:
            yield from _encoded(encoder, batch, owners)
            batch, owners = [], []
    yield from _encoded(encoder, batch, owners)


def _encoded(encoder: Frozen, batch: list[Part], owners: list[tuple[bytes, int]]) -> Iterator[tuple[bytes, Any]]:
    if not batch:
        return
    rows = encoder.encode(batch)
    start = 0
    for key, count in owners:
        found = rows[start : start + count]
        start += count
        if not np.isfinite(found).all():
            yield key, MediaError("the encoder makes numbers of it that are not finite")
            continue
        mean = unit(found.mean(axis=0, keepdims=True))[0]
        yield key, mean if mean.any() else MediaError("the encoder finds nothing in it")
