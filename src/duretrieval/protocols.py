"""The contracts. A part is any object with these methods; nothing has to be inherited.

Each has a conformance suite in `duretrieval.testing` that states its laws as tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from duretrieval.types import Array, Hit, Item, Match, Modality, Part, Query


@runtime_checkable
class Encoder(Protocol):
    """Turns parts of the modalities it names into one vector each.

    Laws: float32, unit rows, row i for part i; neither order nor batch size changes a row (1e-5); an empty batch
    gives (0, dim). Content arrives as `reading` says (see `Part` for shapes).
    """

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> frozenset[Modality]: ...

    def encode(self, batch: Sequence[Part], /) -> Array: ...


@runtime_checkable
class SequenceEncoder(Encoder, Protocol):
    """An encoder that hands on what a row is made of, for fusions that ask for it: words, cells, frames, patches.

    Laws: of each part a (t, dim) float32, t >= 1, not necessarily unit; neither order nor batch size changes them
    (1e-5); an empty batch gives none.
    """

    @property
    def sequential(self) -> bool:
        """Whether it does, as it was made: a graph that ends in one row has no words to hand on."""
        ...

    def sequence(self, batch: Sequence[Part], /) -> list[Array]: ...


@runtime_checkable
class Aligner(Protocol):
    """Carries an encoder's vectors into the shared space.

    Laws: (n, d_in) float32 -> (n, dim) float32 unit rows, row i from row i; saving and loading changes nothing.
    """

    @property
    def dim(self) -> int: ...

    def __call__(self, vectors: Array, modality: Modality, /) -> Array: ...


@runtime_checkable
class Fusion(Protocol):
    """Turns the vectors of an item's modalities into one.

    modality -> (n, d) unit rows; (n, dim) float32 unit rows, row i from the rows i. Laws: a modality that is not in the
    mapping is absent, and any of `modalities` may be, but not all; the order of the mapping changes nothing; where
    nothing was learned, one modality alone is itself; saving and loading changes nothing.
    """

    @property
    def dim(self) -> int: ...

    @property
    def modalities(self) -> tuple[Modality, ...]: ...

    def __call__(self, vectors: Mapping[Modality, Array], /) -> Array: ...


@runtime_checkable
class TokenFusion(Fusion, Protocol):
    """A fusion that looks at the tokens of modalities, too.

    tokens: modality -> the most that a part of it has; the others come as one row.  `of` takes items, each modality ->
    (t, d) unit rows of any t, and weights of the rows, alike.  Laws: where each modality has one row, `of` is
    `__call__`; what stands beside an item changes nothing.
    """

    @property
    def tokens(self) -> Mapping[Modality, int]: ...

    def of(
        self, items: Sequence[Mapping[Modality, Array]], weights: Sequence[Mapping[Modality, Array]] | None = None, /
    ) -> Array: ...


@runtime_checkable
class Index(Protocol):
    """Holds unit vectors under ids, in memory, and finds the nearest by cosine.

    Laws: `add` replaces an id that is there; what was removed never returns; scores never rise down the list.
    """

    @property
    def dim(self) -> int: ...

    def add(self, ids: Sequence[str], vectors: Array, /) -> None: ...

    def remove(self, ids: Sequence[str], /) -> None: ...

    def search(self, queries: Array, k: int, /) -> list[list[tuple[str, float]]]: ...

    def __len__(self) -> int: ...


@runtime_checkable
class ReadView(Protocol):
    """Items, their parts and the parts' vectors, to be read. A filter (`where`) costs no recall."""

    @property
    def dim(self) -> int: ...

    @property
    def version(self) -> int: ...

    @property
    def indexed(self) -> bool:
        """Whether a search without `exact` asks an approximate index."""
        ...

    def get(self, ids: Sequence[str], /) -> list[Item]: ...

    def vectors(self, ids: Sequence[str], /) -> dict[str, Array]: ...

    def scan(self, where: str | None = None, /) -> Iterator[Item]: ...

    def parts(
        self, *, modality: Modality | None = None, where: str | None = None
    ) -> Iterator[tuple[list[tuple[str, int]], Array]]: ...

    def search(
        self,
        query: Array,
        k: int,
        /,
        *,
        modality: Modality | None = None,
        where: str | None = None,
        exact: bool = False,
    ) -> list[Match]: ...

    def fields(self) -> Mapping[str, str]: ...

    def lookup(self, sources: Sequence[str], /) -> dict[str, tuple[str, str]]:
        """source -> (id, stamp) of its item."""
        ...

    def copies(self, digests: Sequence[str], /, *, usable: bool = False) -> dict[str, list[tuple[str, str]]]:
        """digest -> (id, source) of each item with that content, by id; usable: of those without a problem only."""
        ...

    def beginning(self, prefix: str, /) -> list[str]:
        """The ids that begin so, sorted."""
        ...

    def count(self, where: str | None = None, /) -> int: ...

    def count_parts(self) -> dict[str, int]:
        """modality -> parts of it."""
        ...

    def tally(self, column: str, where: str | None = None, /) -> dict[Any, int]:
        """value of a field -> items that have it, most first."""
        ...

    def __len__(self) -> int: ...


@runtime_checkable
class Store(ReadView, Protocol):
    """Keeps items, their parts and the parts' vectors: the source of truth of a collection.

    Laws: what `add` acknowledged survives the process; an item is replaced whole or not at all; what was removed
    never returns; `search` has recall 1 with `exact`, filters included, and at least 0.95 without; `optimize` changes
    no answer.
    """

    @property
    def metadata(self) -> Mapping[str, str]:
        """What was said of it when it was made: `model` and `fingerprint`, for a collection's."""
        ...

    def add(self, items: Sequence[Item], vectors: Sequence[Array], model: str, /) -> None: ...

    def remove(self, ids: Sequence[str], /) -> int: ...

    def optimize(self) -> None:
        """Make it fast and small; searching goes on meanwhile."""
        ...

    def verify(self, model: str | None = None) -> Sequence[Flaw]:
        """What is wrong; model: the fingerprint that every vector should carry."""
        ...

    def close(self) -> None:
        """Give up the right to write."""
        ...


class Flaw(Protocol):
    """Something that is wrong with a store: a sentence about an item's id or a file."""

    @property
    def subject(self) -> str: ...

    @property
    def problem(self) -> str: ...


@runtime_checkable
class Reranker(Protocol):
    """Puts the best candidates of a search into a better order.

    Laws: the items that came in go out, none added, none lost, each with evidence; scores never rise down the list;
    the order in which the candidates come does not matter; the list that came in is left alone.
    """

    def __call__(self, query: Query, hits: Sequence[Hit], /) -> list[Hit]: ...


@runtime_checkable
class Scorer(Protocol):
    """Says how well two rows of the shared space fit: (n, d), (n, d) -> (n,) float32, a larger score is better.

    a: the query's rows.  b: the candidates'.  Laws: score i is that of a[i] and b[i] alone; no pairs give no scores.
    """

    def __call__(self, a: Array, b: Array, /) -> Array: ...


@runtime_checkable
class Weigher(Protocol):
    """Says how much the similarity of each modality counts for a query: (d,) unit -> modality -> weight, 0 or above."""

    @property
    def modalities(self) -> tuple[Modality, ...]: ...

    def __call__(self, query: Array, /) -> Mapping[Modality, float]: ...
