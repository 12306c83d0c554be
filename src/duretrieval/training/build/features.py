"""The rows of what is frozen, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from duretrieval.collection.reading import Road, encoded
from duretrieval.errors import DuretrievalError, MediaError
from duretrieval.media.limits import Limits
from duretrieval.similarity import unit
from duretrieval.training.build.frozen import Frozen
from duretrieval.training.data.feature_cache import FeatureCache, Problems, content_digest
from duretrieval.types import Array, Ints, Part, Reading


def features(
    encoder: Frozen,
    parts: Sequence[Part | None],
    reading: Reading,
    limits: Limits,
    cache: FeatureCache,
    progress: Callable[[int], None] | None = None,
) -> tuple[Array, Ints | None, Problems]:
    """The rows of all windows and passages (w, dim), where each part's begin, and why what could not be read could not.

    Parts of one modality; one that is missing has one row of zeros.  Where they begin: (n + 1,), as `Column.starts`;
    None where each has one.  progress: told how many parts are done.
    """
    digests, unopened = _digests(parts)
    missing: dict[bytes, int] = {}
    for i, key in enumerate(digests):
        if key is not None and key not in cache:
            missing.setdefault(key, i)
    problems: dict[bytes, str] = {}
    done = len(parts) - len(missing)
    for key, made in _computed(encoder, {k: parts[i] for k, i in missing.items()}, reading, limits):
        if isinstance(made, DuretrievalError):
            problems[key] = str(made)
        else:
            cache.put(key, made)
        done += 1
        if progress:
            progress(done)
    cache.flush()
    nothing = np.zeros((1, encoder.dim), dtype=np.float32)
    held = [nothing if key is None or key in problems else cache[key] for key in digests]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in held], dtype=np.int64)])
    rows = np.concatenate([nothing[:0], *held])
    unread = {i: problems[key] for i, key in enumerate(digests) if key in problems}
    return rows, None if len(rows) == len(parts) else starts, unopened | unread


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
            yield key, found if isinstance(found, DuretrievalError) else _good(found[1])


def _good(windows: Array) -> Array | DuretrievalError:
    """Unit rows, if there is anything in one of them."""
    if not np.isfinite(windows).all():
        return MediaError("the encoder makes numbers of it that are not finite")
    rows = unit(windows)
    return rows if rows.any() else MediaError("the encoder finds nothing in it")
