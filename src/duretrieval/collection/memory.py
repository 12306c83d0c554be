"""Which index holds a collection's vectors in memory: by its name, a function that makes it, or as its model says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from duretrieval import plugins
from duretrieval.errors import MissingExtra, ModelError
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.memory import InMemory
from duretrieval.model.model import Model
from duretrieval.protocols import Index, Store

Make = Callable[[int], Index]
"""An empty index for vectors of a dim."""
STORE = "store"
"""In the place of an index's name: none in memory, whatever the model says."""


class MemoryIndex:
    """The index that was asked for, and the store it was last filled from.

    index: "exact", "faiss", "binary" or another of the indexes (`plugins`); or a function, dim -> empty index.
    options: what it is made with beside the dim.

    Raises:
        UnknownPart, MissingExtra, ConfigError: as `plugins.find`.
    """

    def __init__(self, index: str | Make, options: Mapping[str, Any] | None = None) -> None:
        self.name = index if isinstance(index, str) else getattr(index, "__name__", type(index).__name__)
        self._make: Make = plugins.find("indexes", index) if isinstance(index, str) else index
        self._options = dict(options or {})
        self._held: InMemory | None = None

    @classmethod
    def wanted(cls, model: Model, *, trust: bool = False) -> MemoryIndex | None:
        """The index that a model says its collections are searched by; None where it says nothing.

        Raises:
            ModelError: the index has no such option.
            UnknownPart, Untrusted: as `plugins.find`.
            MissingExtra: it is not installed; the message says how to search without.
        """
        if model.index is None:
            return None
        use, options = model.index["use"], model.index.get("options", {})
        with ExitStack() as within:
            if model.folder is not None:
                within.enter_context(plugins.stored(model.folder / "model.toml"))
            within.enter_context(plugins.trusting(trust))
            try:
                held = cls(use, options)
            except MissingExtra as error:
                raise MissingExtra(
                    f"model {model.name!r} wants its collections searched by the index {use!r}, and {error}. Without: "
                    "--index store (in Python: Collection.open(..., index='store'))"
                ) from error
        try:
            inspect.signature(held._make).bind(model.dim, **options)
        except TypeError as error:
            raise ModelError(f"model {model.name!r} says [index] use = {use!r}: {error}; see what it takes") from error
        return held

    def of(self, store: Store, model: Callable[[], Model]) -> InMemory:
        """What is in `store`, held in memory; the same one as long as the store is the same.

        model: of the vectors.  A binary index takes its codes, where it has some.
        """
        if self._held is None or self._held.store is not store:
            options = {"coder": model().codes, **self._options} if self._make is BinaryIndex else self._options
            self._held = InMemory(store, partial(self._make, **options) if options else self._make)
        return self._held
