"""Tables that carry bags to shorter rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from duretrieval.encode.bags import Bag, with_nothing
from duretrieval.errors import ConfigError
from duretrieval.types import Array, Floats

PASSES = 6
SPARE = 10


def latent_axes(bags: Sequence[Bag], size: int, dim: int, *, seed: int = 0) -> Array:
    """The `dim` directions that hold most of the bags: a table (size, dim), its last row that of nothing.

    With A (n, size) the bags as unit rows and A ≈ U S Vᵀ its largest singular values, the table is V: latent semantic
    analysis (Deerwester et al. 1990, "Indexing by latent semantic analysis"), where words that come together come near.
    Found by subspace iteration from a random start (Halko, Martinsson & Tropp 2011, algorithm 4.4), without A in full.

    Raises:
        ConfigError: there are not more than `dim` texts, or of what is in them.
    """
    most = min(len(bags), len(np.unique(np.concatenate([ids for ids, _ in bags])))) if bags else 0
    if not 1 <= dim <= most:
        raise ConfigError(f"dim is {dim}, but {len(bags)} texts with what is in them span {most}; give 1 to {most}")
    rows = [(ids, (weights / np.linalg.norm(weights)).astype(np.float64)) for ids, weights in bags]
    q = np.random.default_rng(seed).normal(size=(size, min(dim + SPARE, most)))
    for _ in range(PASSES):
        q = np.linalg.qr(_transposed_times(rows, _times(rows, np.linalg.qr(q)[0]), size))[0]
    _, _, vt = np.linalg.svd(_times(rows, q), full_matrices=False)
    axes = q @ vt[:dim].T
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dim)])  # else they would depend on the machine
    return with_nothing((axes * signs)[:-1].astype(np.float32))


def random_axes(size: int, dim: int, *, seed: int = 0) -> Array:
    """A table (size, dim) of normal numbers of variance 1 / dim, which keeps cosines up to about 1 / sqrt(dim).

    Johnson & Lindenstrauss 1984, "Extensions of Lipschitz mappings into a Hilbert space", lemma 1.
    """
    table: Array = (np.random.default_rng(seed).normal(size=(size, dim)) / np.sqrt(dim)).astype(np.float32)
    return table


def _times(rows: Sequence[tuple[npt.NDArray[np.int64], Floats]], x: Floats) -> Floats:
    """A x: (size, k) -> (n, k)."""
    return np.stack([weights @ x[ids] for ids, weights in rows])


def _transposed_times(rows: Sequence[tuple[npt.NDArray[np.int64], Floats]], y: Floats, size: int) -> Floats:
    """Aᵀ y: (n, k) -> (size, k)."""
    out = np.zeros((size, y.shape[1]))
    for (ids, weights), row in zip(rows, y, strict=True):
        out[ids] += np.outer(weights, row)
    return out
