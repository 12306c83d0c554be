"""A collection's store and model while it stays open, whatever others do to it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duretrieval.collection import record, upkeep
from duretrieval.errors import CollectionMoved, NotACollection
from duretrieval.index.lance import address, place
from duretrieval.index.lance.store import LanceStore
from duretrieval.model.model import Model


class Handle:
    """Notices that another store lies at the path: it was migrated, made anew, moved or removed.

    model: None is the one that the store's record names, opened when it is first asked for.  pinned: the caller chose
    it, so that vectors of any other are refused.  trust: as `Model.load`.
    """

    def __init__(
        self, path: str | Path, store: LanceStore, model: Model | None, *, pinned: bool, trust: bool = False
    ) -> None:
        self._path, self._uri = path, place.parts_of(path)
        self._store, self._model = store, model
        self._pinned, self._trust = pinned, trust

    @classmethod
    def open(
        cls,
        path: str | Path,
        model: str | Path | Model | None,
        *,
        dim: int | None = None,
        create: bool,
        any_model: bool,
        trust: bool,
    ) -> Handle:
        """As `Collection.open`."""
        uri, pinned = place.parts_of(path), model is not None
        store = _known_store(uri)
        if store is None:
            if not create:
                raise upkeep.no_collection(path)
            model = record.opened(model or "builtin", dim, trust=trust)
            store = LanceStore.create(uri, model.dim, record.metadata(model, path))
            store.close()  # what writes takes the lock for as long as it writes
        elif any_model:
            model = None
        elif model is None:
            model = record.reopen(store.metadata, path, trust=trust)
            record.require_dim(dim, model, path)
        else:
            model = record.opened(model, dim, store.metadata, trust=trust)
            record.require(model.fingerprint, record.name_of(model), store.metadata, path)
        return cls(path, store, model, pinned=pinned and model is not None, trust=trust)

    @property
    def store(self) -> LanceStore:
        """The one that lies at the path now.

        Raises:
            CollectionMoved: none does, or one of another model than the caller chose.
        """
        if self._store.there:
            return self._store
        if not place.exists(self._uri):
            raise CollectionMoved(f"the collection at {self._path} was moved or removed since it was opened")
        store = LanceStore.open(self._uri)
        known = store.metadata
        if known["fingerprint"] != self._store.metadata["fingerprint"]:
            if self._pinned:
                raise CollectionMoved(
                    f"the collection at {self._path} was migrated to model {known['model']} since it was opened; "
                    "open it again"
                )
            self._model = None
        self._store = store
        return store

    @property
    def model(self) -> Model:
        """The one that made the vectors of `store`.

        Raises:
            CollectionMoved: as `store`.
            ModelError, ModelMismatch: as `record.reopen`.
        """
        store = self.store
        if self._model is None:
            self._model = record.reopen(store.metadata, self._path, trust=self._trust)
        return self._model

    @property
    def chosen(self) -> Model | None:
        """The model that the caller chose; None where it is the one on record, whichever that is by now."""
        return self._model if self._pinned else None

    @contextmanager
    def writing(self) -> Iterator[LanceStore]:
        """The store, open for writing and locked against other writers."""
        _ = self.store  # what is not there any more is not waited for
        with LanceStore.open(self._uri, write=True) as store:
            _ = self.store  # who had the lock before may have replaced it
            yield store

    def replaced(self, model: Model) -> None:
        """Go on with the store that was put in place of this one, and the model it was encoded with."""
        self._store, self._model, self._pinned = LanceStore.open(self._uri), model, True


def _known_store(uri: str) -> LanceStore | None:
    """The store at `uri`, open for reading; None where there is none yet."""
    try:
        return LanceStore.open(uri) if place.exists(uri) else None
    except NotACollection:
        if address.is_address(uri):  # where nothing but opening it tells
            return None
        raise
