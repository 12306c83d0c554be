"""The rows of what is frozen, computed once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from duretrieval.collection.reading import Road, encoded
from duretrieval.errors import ConfigError, DuretrievalError, MediaError
from duretrieval.media.limits import Limits
from duretrieval.similarity import unit
from duretrieval.training.build.frozen import Frozen
from duretrieval.training.data.feature_cache import FeatureCache, Problems, content_digest
from duretrieval.types import Array, Ints, Modality, Part, Reading

SEEN = 64
"""Contents after which the size of all is known well enough."""


def features(
    encoder: Frozen,
    parts: Sequence[Part | None],
    reading: Reading,
    limits: Limits,
    cache: FeatureCache,
    progress: Callable[[int], None] | None = None,
) -> tuple[Array, Ints | None, Problems]:
    """The rows of all windows and passages (w, dim), where each part's begin, and why what could not be read could not.

    Parts of one modality; one that is missing has one row of zeros.  Of an encoder that hands on tokens, those of all
    windows.  Where they begin: (n + 1,), as `Column.starts`;
    None where each has one.  progress: told how many parts are done.
    """
    digests, unopened = _digests(parts)
    missing: dict[bytes, int] = {}
    for i, key in enumerate(digests):
        if key is not None and key not in cache:
            missing.setdefault(key, i)
    problems: dict[bytes, str] = {}
    sizes = [cache[key].size for key in set(digests) if key is not None and key in cache]
    _check_budget(cache, encoder, sizes, len(set(digests)))
    done = len(parts) - len(missing)
    for key, made in _computed(encoder, {k: parts[i] for k, i in missing.items()}, reading, limits):
        if isinstance(made, DuretrievalError):
            problems[key] = str(made)
        else:
            cache.put(key, made)
            sizes.append(made.size)
            _check_budget(cache, encoder, sizes, len(set(digests)))
        done += 1
        if progress:
            progress(done)
    cache.flush()
    nothing = np.zeros((1, encoder.dim), dtype=np.float32)
    held = [nothing if key is None or key in problems else cache[key] for key in digests]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in held], dtype=np.int64)])
    rows = np.concatenate([nothing[:0].astype(cache.kind), *(found.astype(cache.kind, copy=False) for found in held)])
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
        read = road.read_all(there)
        made: Iterator[tuple[Modality, Array | list[Array]] | DuretrievalError]
        made = encoded(read, encoder.sequences) if encoder.tokens else encoded(read, encoder.encode)
        for key, found in zip(parts, made, strict=True):
            yield key, found if isinstance(found, DuretrievalError) else _good(_flat(found[1]))


def _check_budget(cache: FeatureCache, encoder: Frozen, sizes: Sequence[int], n: int) -> None:
    """sizes: numbers of each content so far; n: how many contents there are.

    Raises:
        ConfigError: if the others are as large, the tokens of all take more than the budget.
    """
    if cache.most_gb is None or len(sizes) < min(n, SEEN):
        return
    each = sum(sizes) / len(sizes)
    expected = each * n * 2 / 1e9
    if expected > cache.most_gb:
        raise ConfigError(
            f"the tokens of {n:,} contents, {each / encoder.dim:.0f} of {encoder.dim:,} numbers each, take about "
            f"{expected:.2g} GB, and [data] tokens_gb is {cache.most_gb:g}. Raise it, hand on fewer (`tokens` of the "
            f"encoder is {encoder.tokens}), or leave tokens out"
        )


def _flat(rows: Array | list[Array]) -> Array:
    return np.concatenate(rows) if isinstance(rows, list) else rows


def _good(windows: Array) -> Array | DuretrievalError:
    """Unit rows, if there is anything in one of them."""
    if not np.isfinite(windows).all():
        return MediaError("the encoder makes numbers of it that are not finite")
    rows = unit(windows)
    return rows if rows.any() else MediaError("the encoder finds nothing in it")
