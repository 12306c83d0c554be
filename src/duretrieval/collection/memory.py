"""Which index holds a collection's vectors in memory: by its name, or a function that makes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from duretrieval import plugins
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.memory import InMemory
from duretrieval.model.model import Model
from duretrieval.protocols import Index, Store

Make = Callable[[int], Index]
"""An empty index for vectors of a dim."""


class MemoryIndex:
    """The index that was asked for, and the store it was last filled from.

    index: "exact", "faiss", "binary" or another of the indexes (`plugins`); or a function, dim -> empty index.

    Raises:
        UnknownPart, MissingExtra, ConfigError: as `plugins.find`.
    """

    def __init__(self, index: str | Make) -> None:
        self.name = index if isinstance(index, str) else getattr(index, "__name__", type(index).__name__)
        self._make: Make = plugins.find("indexes", index) if isinstance(index, str) else index
        self._held: InMemory | None = None

    def of(self, store: Store, model: Callable[[], Model]) -> InMemory:
        """What is in `store`, held in memory; the same one as long as the store is the same.

        model: of the vectors.  A binary index takes its codes, where it has some.
        """
        if self._held is None or self._held.store is not store:
            make = self._make
            self._held = InMemory(store, partial(make, coder=model().codes) if make is BinaryIndex else make)
        return self._held
