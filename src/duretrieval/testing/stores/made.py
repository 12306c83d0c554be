"""How a store is made for its suite, and what is put into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from duretrieval.protocols import Store
from duretrieval.similarity import unit
from duretrieval.types import Array, Item, Modality, Part, Scalar

DIM = 16
MODEL = "fingerprint"


class Made:
    """What a suite is told of the store."""

    def make(self, tmp_path: Path, dim: int) -> Store:
        raise NotImplementedError

    def reopen(self, store: Store, tmp_path: Path) -> Store:
        """Close `store` and open what it left, for reading and writing."""
        raise NotImplementedError


def directions(n: int, dim: int = DIM, seed: int = 0) -> Array:
    """Random unit rows (n, dim)."""
    return unit(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


def text(id: str, n: int = 1, **fields: Scalar) -> Item:
    """An item of n text parts."""
    parts = tuple(Part(Modality.TEXT, f"{id} says {i}", page=i + 1) for i in range(n))
    return Item(id=id, source=f"/files/{id}", parts=parts, fields=fields, stamp=f"stamp {id}", digest=f"digest {id}")
