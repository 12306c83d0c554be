"""The background of a model: vectors that have nothing to do with a query, which say what a chance score is.

`fuse.scores` measures every cosine against those with the background of the part's modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from duretrieval.arrays import read_all, write
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality

ROWS = 384
"""Rows a modality, at most: enough for a mean and a deviation within some percent."""


def background(vectors: Mapping[Modality, Array], *, rows: int = ROWS, seed: int = 0) -> dict[Modality, Array]:
    """A random sample of each modality's vectors: modality -> (n, d), to modality -> (at most `rows`, d) unit rows.

    vectors: of ordinary parts, such as a training set's, in the shared space.  Equal rows count once, so that one
    picture among hundreds of copies does not pass for what is usual; neither does the order of the rows matter.

    Raises:
        ShapeError: a modality's vectors are no matrix, or none of them points anywhere.
        ConfigError: rows is less than 2.
    """
    if rows < 2:
        raise ConfigError(f"rows is {rows}; a deviation needs at least 2, and {ROWS} make it a good one")
    return {modality: _sample(modality, given, rows, seed) for modality, given in vectors.items()}


def _sample(modality: Modality, given: Array, rows: int, seed: int) -> Array:
    if given.ndim != 2 or not np.any(given):
        raise ShapeError(f"expected vectors (n, d) of {modality.value} for a background; got {given.shape}, or zeros")
    different = np.unique(unit(given), axis=0)
    different = different[np.any(different, axis=1)]
    chosen = np.random.default_rng(seed).permutation(len(different))[:rows]
    sampled: Array = different[chosen]
    return sampled


def save(folder: Path, vectors: Mapping[Modality, Array]) -> str:
    """Write background.safetensors, in half precision; returns the file's name."""
    return write(folder, "background", **{m.value: vectors[m].astype(np.float16) for m in sorted(vectors)})


def load(path: Path) -> dict[Modality, Array]:
    """The vectors that `save` wrote, in float32.

    Raises:
        ModelError: it is not such a file.
    """
    try:
        return {Modality(key): rows.astype(np.float32) for key, rows in read_all(path).items()}
    except (ModelError, ValueError) as error:
        raise ModelError(f"{path} is not the background of a model: {error}") from error
