"""The rows of what is frozen, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from duretrieval.collection.reading import Road, encoded
from duretrieval.errors import DuretrievalError, MediaError
from duretrieval.fuse.means import mean
from duretrieval.media.limits import Limits
from duretrieval.training.build.frozen import Frozen
from duretrieval.training.data.feature_cache import FeatureCache, Problems, content_digest
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
        if isinstance(row, DuretrievalError):
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
) -> Iterator[tuple[bytes, Array | DuretrievalError]]:
    """Rows as they come."""
    there = [part for part in parts.values() if part is not None]
    with Road(reading, limits) as road:
        for key, found in zip(parts, encoded(road.read_all(there), encoder.encode), strict=True):
            yield key, found if isinstance(found, DuretrievalError) else _row(found[1])


def _row(windows: Array) -> Array | DuretrievalError:
    if not np.isfinite(windows).all():
        return MediaError("the encoder makes numbers of it that are not finite")
    row = mean(windows)
    return row if row.any() else MediaError("the encoder finds nothing in it")
