"""The front door: open a collection, add to it, search it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from duretrieval.collection import record, sources, upkeep
from duretrieval.collection import relations as related
from duretrieval.collection.changed import changed
from duretrieval.collection.handle import Handle
from duretrieval.collection.ingest import Ingest, Report
from duretrieval.collection.memory import STORE, Make, MemoryIndex
from duretrieval.collection.query import Asking
from duretrieval.collection.reading import Road
from duretrieval.collection.sources import Entry
from duretrieval.collection.stats import Stats
from duretrieval.errors import ModelError, QueryError, Untrusted
from duretrieval.index.lance import place
from duretrieval.index.lance.fault import Fault
from duretrieval.index.lance.store import LanceStore
from duretrieval.media.limits import Limits
from duretrieval.model.model import Model
from duretrieval.protocols import ReadView, Store
from duretrieval.types import Hit, Item, Modality, Query, Term

Progress = Callable[[Report], None]
Prune = bool | Literal["all"]


class Collection:
    """Items, their vectors, and the model that made them, under a path.

    Many processes may read a collection while one writes to it; a reader sees every finished batch at once. One that is
    migrated or made anew meanwhile is opened again where no model was asked for; with a model of the caller's choice,
    everything is refused (`CollectionMoved`) once its vectors are of another.
    """

    def __init__(
        self,
        path: str | Path,
        handle: Handle,
        limits: Limits,
        *,
        trust: bool = False,
        memory: MemoryIndex | None = None,
        as_model_says: bool = False,
    ) -> None:
        self.path = str(path)
        self.limits = limits
        self._handle = handle
        self._trust = trust
        self._memory = memory
        self._as_model_says = as_model_says
        self._followed: Model | None = None
        self._road: Road | None = None
        self._road_of: Model | None = None

    @classmethod
    def open(
        cls,
        path: str | Path,
        model: str | Path | Model | None = None,
        *,
        create: bool = True,
        any_model: bool = False,
        limits: Limits | None = None,
        trust: bool = False,
        index: str | Make | None = None,
        dim: int | None = None,
    ) -> Collection:
        """Open the collection at `path`, or make a new one there.

        model: a `Model`, a model folder, or `builtin`; None means the one the collection was made with, and `builtin`
        for a new one.  any_model: open it even though that model is not to be had, to look at it or to migrate it.
        trust: run Python code that the model's files name (`Model.load`); without, a collection and its model are data,
        whoever made them.  index: search by an index in memory, filled when first asked and whenever the collection
        changes: "exact", "faiss", "binary" (with the model's codes, where it has some), or a function, dim -> empty
        index; searches with a filter and exact ones stay with the store.  None: as the model says, which most often is
        "store", none.  dim: cut the model to so many dimensions (`Model.cut`); None: as the collection's is.

        Raises:
            ModelMismatch: the collection was made with another model; the message names both and the remedy.
            Untrusted: when a part of the model is first used: it is a path to code, and `trust` is not set.
            NotACollection: there is something else at `path`; or nothing, and `create` is False.
            ModelError: the model cannot be loaded.
            UnknownPart: there is no such index.
        """
        memory = None if index in (None, STORE) else MemoryIndex(index)
        handle = Handle.open(path, model, dim=dim, create=create, any_model=any_model, trust=trust)
        follow = index is None and not any_model
        return cls(path, handle, limits or Limits(), trust=trust, memory=memory, as_model_says=follow)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that reads files that are asked with; another question starts another."""
        if self._road is not None:
            self._road.close()
        self._road = None

    def __len__(self) -> int:
        return len(self._store)

    @staticmethod
    def exists(path: str | Path) -> bool:
        """Whether there is a collection at `path`."""
        return place.exists(place.parts_of(path))

    def view(self) -> ReadView:
        """What is stored, to be read: items, vectors and searches by vector, for whoever measures them."""
        return self._searched()

    @property
    def index(self) -> str | None:
        """The name of the index in memory that is searched; None where the store is."""
        memory = self._held_by()
        return memory.name if memory else None

    @property
    def model(self) -> Model:
        """The model that made this collection's vectors."""
        return self._handle.model

    # ---- in

    def add(
        self,
        what: str | Path | Item | Iterable[str | Path | Item],
        *,
        progress: Progress | None = None,
        retry: bool = False,
        prune: Prune = False,
        workers: int | None = None,
        relations: str | Path | None = None,
    ) -> Report:
        """Index files, folders and items; what is known and unchanged is skipped.

        A file that cannot be used becomes an item with a `problem`; it is not tried again until it changes, or `retry`
        is set.  prune: remove the items below these paths whose file is gone; "all": even where that is all of them.
        workers: decoding processes.  relations: a table of item, other and kind (`media.relations`), ids or paths, in
        the place of the one given before; for a model that looks at neighbours.  After a run the whole of every item is
        what it is beside the neighbours that it has then.

        Raises:
            MediaError: a path does not exist, or leads into a collection.
            ConfigError: the relations cannot be used, or the model looks at no neighbours; nothing is changed.
            WouldEmpty: prune would remove all that is known below a path, or below a folder that is empty now, as a
                disk's is that is not mounted; what was indexed stays, and nothing is removed.
            CollectionLocked: another process is writing to the collection.
        """
        things = [what] if isinstance(what, str | Path | Item) else list(what)
        paths = [thing for thing in things if not isinstance(thing, Item)]
        items = [thing for thing in things if isinstance(thing, Item)]
        entries = chain(sources.from_items(items), sources.from_paths(paths))
        report = self._ingest(entries, progress, retry, workers, relations)
        if prune:
            roots = [Path(path).absolute() for path in paths]
            report.removed += self._remove(upkeep.gone_below(self._store, roots, all_of_it=prune == "all"))
        return report

    def add_manifests(
        self,
        manifests: str | Path | Iterable[str | Path],
        *,
        columns: dict[str, str] | None = None,
        progress: Progress | None = None,
        retry: bool = False,
        prune: Prune = False,
        workers: int | None = None,
        relations: str | Path | None = None,
    ) -> Report:
        """Index the rows of JSONL, CSV or Parquet manifests, each as one item with its files, texts and fields.

        columns: column -> role, where the name does not say it (see `media.manifest`).  What an earlier run stored of
        these manifests and no row stands for any more goes: rows that could not be used, and rows that now have an id.
        prune: remove all items whose row is gone; "all": even where that is all of a manifest's.  Otherwise as `add`.

        Raises:
            ConfigError: as `media.manifest.read_manifest`, before anything is changed.
        """
        paths = [manifests] if isinstance(manifests, str | Path) else list(manifests)
        rows = sources.Rows(paths, columns)
        report = self._ingest(rows, progress, retry, workers, relations)
        replaced = [item.id for item in self._store.scan(rows.where) if rows.replaced(item)]
        report.removed += self._remove(replaced) if replaced else 0
        if prune:
            gone = [upkeep.rows_gone(self._store, path, rows.sources, all_of_it=prune == "all") for path in paths]
            report.removed += self._remove([id_ for ids in gone for id_ in ids])
        return report

    def remove(self, ids: Iterable[str] = (), *, where: str | None = None) -> int:
        """Take items out, by id and by filter; return how many there were. Their files are not touched."""
        found = () if where is None else (item.id for item in self._store.scan(where))
        return self._remove([*ids, *found])

    def migrate(
        self,
        model: str | Path | Model,
        *,
        dim: int | None = None,
        progress: Progress | None = None,
        workers: int | None = None,
    ) -> Report:
        """Encode everything again with another model; readers keep the old vectors until the new ones are complete.

        dim: cut that model to so many dimensions.  Interrupted, it goes on where it stopped.  An item whose source is
        gone is kept, with that as its problem.
        """
        new = record.opened(model, dim, trust=self._trust)
        told = record.metadata(new, self.path)
        with self._handle.writing() as old:
            report = upkeep.migrate(
                old, place.parts_of(self.path), new, told, self.limits, progress or _silent, workers
            )
        self._handle.replaced(new)
        return report

    # ---- out

    def search(
        self,
        asked: str | Path | Term | Query | Sequence[Term],
        *,
        k: int = 10,
        where: str | None = None,
        modalities: Iterable[Modality] | None = None,
    ) -> list[Hit]:
        """The items that fit best, best first, each once.

        asked: words; the path of a picture, film or sound; one or several `Term`s with weights; or a whole `Query`,
        which says the rest itself.  where: a filter over fields, which costs no recall.  modalities: which parts match.

            collection.search("a red bus")
            collection.search([Term(Modality.IMAGE, Path("bus.jpg")), Term(Modality.TEXT, "night", 0.5)])

        Raises:
            QueryError: nothing is asked for, a file holds nothing of the term's modality, or the filter does not parse;
                modalities or weights of them are given where the model fuses them into one vector.
            UnknownField: the filter names a field that no item has.
            MediaError: a file of the query cannot be read, or its decoder crashed, hung, or took too much memory.
        """
        store, asking, query = self._searched(), self._asking(), asked
        if not isinstance(query, Query):
            parts = frozenset(Modality if modalities is None else modalities)
            query = Query(asking.terms(query), k=k, where=where, modalities=parts)
        return asking.answer(query, store)

    def terms(self, asked: str | Path | Term | Sequence[Term]) -> tuple[Term, ...]:
        """What is asked as terms, a file with the modality that it holds.

        Raises:
            QueryError: it asks for nothing.
            MediaError: a file cannot be read.
        """
        return self._asking().terms(asked)

    def get(self, id: str) -> Item:
        """The item with this id, or the only one whose id begins so.

        Raises:
            QueryError: there is none, or there are several.
        """
        if exact := self._store.get([id]):
            return exact[0]
        ids = self._store.beginning(id) if id else []
        if len(ids) == 1:
            return self._store.get(ids)[0]
        if ids:
            more = " ..." if len(ids) > 3 else ""
            raise QueryError(f"{len(ids)} ids begin with {id!r}: {', '.join(ids[:3])}{more}; give more of it")
        raise QueryError(f"there is no item with the id {id!r}")

    def short(self, id: str) -> str:
        """The shortest beginning of an id by which `get` finds it: six characters, or more where others begin so."""
        others = [other for other in self._store.beginning(id[:6]) if other != id]
        return next((id[:n] for n in range(6, len(id)) if not any(o.startswith(id[:n]) for o in others)), id)

    def items(self, where: str | None = None) -> Iterator[Item]:
        """Every item, or those that a filter fits, one at a time."""
        return self._store.scan(where)

    def problems(self) -> Iterator[Item]:
        """The items that could not be used, or not wholly; `item.problem` is the reason."""
        return self.items("problem IS NOT NULL")

    def stats(self) -> Stats:
        """Count what is there."""
        modalities = self._store.count_parts()
        return Stats(
            items=len(self._store),
            parts=sum(modalities.values()),
            kinds=self._store.tally("kind") if "kind" in self._store.fields() else {},
            modalities=modalities,
            problems=self._store.count("problem IS NOT NULL"),
            model=record.place(self._store.metadata["model"], self.path),
            fingerprint=self._store.metadata["fingerprint"],
            dim=self._store.dim,
            version=self._store.version,
        )

    def verify(self) -> list[Fault]:
        """What is not as it should be: files of store and model, vectors, items, sources that changed or are gone."""
        return upkeep.verify(self.path, self._handle.chosen)

    def repair(self) -> list[Fault]:
        """Drop damaged files, index again every item with a fault whose source is there; return the faults left."""
        upkeep.mend(self.path)
        with self._handle.writing() as store:
            lost = upkeep.repair(store, self.model, self.limits)
            related.attend(store, self.model, place.parts_of(self.path))
            store.told()
        return [*lost, *self.verify()]

    @classmethod
    def verify_at(cls, path: str | Path, model: str | Path | Model | None = None) -> list[Fault]:
        """`verify` for a collection that may be too damaged to be opened.

        Raises:
            NotACollection: there is none at `path`.
        """
        return upkeep.verify(path, model if isinstance(model, Model) or model is None else Model.load(model))

    @classmethod
    def repair_at(cls, path: str | Path, model: str | Path | Model | None = None) -> list[Fault]:
        """`repair` for a collection that may be too damaged to be opened.

        Raises:
            NotACollection: there is none at `path`.
            CollectionError: nothing of it says what it held.
        """
        upkeep.mend(path)
        with cls.open(path, model, create=False) as collection:
            return collection.repair()

    # ---- inside

    @property
    def _store(self) -> LanceStore:
        return self._handle.store

    def _searched(self) -> Store:
        """The store, or what an index in memory holds of it."""
        store, memory = self._store, self._held_by()
        return memory.of(store, lambda: self.model) if memory else store

    def _held_by(self) -> MemoryIndex | None:
        """The index in memory, where there is one: what was asked for, or what the model of now says."""
        if self._as_model_says and self._followed is not (model := self.model):
            self._memory, self._followed = MemoryIndex.wanted(model, trust=self._trust), model
        return self._memory

    def _asking(self) -> Asking:
        """One process, which starts with the first file, reads whatever files are asked with."""
        model = self.model
        if self._road is None or self._road_of is not model:  # another may want files read otherwise
            self._road = Road(model.reading, self.limits, workers=1, known=model.modalities, takes=lambda: model.takes)
            self._road_of = model
        return Asking(model, self._road)

    def _ingest(
        self,
        stream: Iterable[Entry],
        progress: Progress | None,
        retry: bool,
        workers: int | None,
        relations: str | Path | None = None,
    ) -> Report:
        uri = place.parts_of(self.path)
        said = None if relations is None else related.read(relations, self.model, uri)
        with self._handle.writing() as store:
            if said is not None:
                related.keep(uri, said)
            run = Ingest(self.model, store, self.limits, progress or _silent, workers)
            report = run.run(changed(stream, store, retry, run.skip, self.limits))
            report.beside, report.unrelated = related.attend(store, self.model, uri)
            store.optimize()
        return report

    def _remove(self, ids: list[str]) -> int:
        with self._handle.writing() as store:
            removed = store.remove(ids)
            if removed and related.there_are_any(store, place.parts_of(self.path)):
                with suppress(ModelError, Untrusted):  # without the model `verify` says what is out of date
                    related.attend(store, self.model, place.parts_of(self.path))
        return removed


def _silent(report: Report) -> None:
    """Progress that nobody watches."""
