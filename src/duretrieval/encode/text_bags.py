"""The encoder of texts as bags: a reader, and a table of rows to sum."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from duretrieval.arrays import read_all, write
from duretrieval.encode.bags import Bag, document_frequency, inverse_frequency, sums
from duretrieval.encode.latent import latent_axes, random_axes
from duretrieval.encode.tokens import text_of
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality, Part

WIDEST = 16_384
"""Longest row without a table: 64 KB for every part of a collection."""


class Reader(Protocol):
    """Reads texts into bags."""

    kind: ClassVar[str]

    @property
    def size(self) -> int:
        """How many ids there are; the last stands for nothing."""
        ...

    def __call__(self, text: str, /) -> Bag:
        """What is in a text."""
        ...

    def settings(self) -> dict[str, Any]:
        """What JSON can hold of it."""
        ...

    def arrays(self) -> dict[str, Array]:
        """The rest of it."""
        ...

    @classmethod
    def of(cls, settings: Mapping[str, Any], arrays: Mapping[str, Array], /) -> Self:
        """What `settings` and `arrays` came from."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TextBags:
    """row = unit(sum_i w_i T[i]) over what a reader finds in a text.

    table: T (reader.size, dim); None is the identity: a row then has a number for every id.

    Raises:
        ShapeError: the table has not a row for every id.
        ConfigError: without a table, rows would be longer than `WIDEST`.
    """

    reader: Any
    table: Array | None

    use: ClassVar[str] = ""
    """Its name among the encoders of a model folder."""
    readers: ClassVar[tuple[type[Any], ...]] = ()
    """The readers it can have."""

    def __post_init__(self) -> None:
        size = self.reader.size
        if self.table is None and size > WIDEST:
            raise ConfigError(
                f"a row would have {size} numbers, one for each of what is known; the most is {WIDEST}. Give dim, so "
                "that rows are projected to that length, or let fewer words or buckets be known"
            )
        if self.table is not None and (self.table.ndim != 2 or len(self.table) != size):
            raise ShapeError(
                f"expected a table with {size} rows, one for each of what is known; got {self.table.shape}"
            )

    @classmethod
    def fitted(cls, reader: Any, texts: Sequence[str], dim: int | None, seed: int) -> Self:
        """With weights and latent axes from some texts; without texts, all counts the same and the axes are random.

        Raises:
            ConfigError: rows of that length cannot be.
        """
        if not texts:
            return cls(reader, None if dim is None else random_axes(reader.size, dim, seed=seed))
        held, n = document_frequency(bags_of(reader, texts), reader.size)
        reader = replace(reader, weights=inverse_frequency(held[:-1], n))
        return cls(reader, None if dim is None else latent_axes(bags_of(reader, texts), reader.size, dim, seed=seed))

    @property
    def modalities(self) -> frozenset[Modality]:
        """Text."""
        return frozenset({Modality.TEXT})

    @property
    def dim(self) -> int:
        """Length of a row."""
        return int(self.reader.size if self.table is None else self.table.shape[1])

    def bag(self, part: Part) -> Bag:
        """What is in the part. Raises ShapeError where its content is not a string."""
        found: Bag = self.reader(text_of(part))
        return found

    def encode(self, batch: Sequence[Part], /) -> Array:
        """Vectors of texts: (len(batch), dim) float32 unit rows.

        Raises:
            ShapeError: a part's content is not a string.
            MissingExtra: there is Chinese to cut into words, and rjieba is not installed.
        """
        return unit(sums([self.bag(part) for part in batch], self.table, self.reader.size))

    @property
    def sequential(self) -> bool:
        """Whether there is a table: without one, a word is a number of its own."""
        return self.table is not None

    def sequence(self, batch: Sequence[Part], /) -> list[Array]:
        """Of each text what a reader finds in it, w_i T[i] each: (m, dim) float32, in the order of their ids.

        Raises:
            ShapeError, MissingExtra: as `encode`.
        """
        found = []
        for ids, weights in map(self.bag, batch):
            assert self.table is not None
            found.append(weights[:, None] * self.table[ids])
        return found

    def with_table(self, table: Array) -> Self:
        """The same reader with another table (size, d)."""
        return replace(self, table=table)

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write `name`.safetensors and `name`.json; returns the options that `load` needs to find them."""
        arrays = {**self.reader.arrays(), **({} if self.table is None else {"table": self.table})}
        options = {"arrays": write(folder, name, **arrays), "settings": f"{name}.json"}
        settings = {"reader": self.reader.kind, **self.reader.settings()}
        (Path(folder) / options["settings"]).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
        return options

    @classmethod
    def load(cls, folder: str | Path, *, arrays: str, settings: str) -> Self:
        """The encoder that `save` wrote.

        Raises:
            ModelError: a file is missing, or is not one that this kind of encoder wrote.
        """
        held, told = read_all(Path(folder) / arrays), _settings(Path(folder) / settings)
        kinds = {reader.kind: reader for reader in cls.readers}
        kind = told.pop("reader", None)
        if kind not in kinds:
            raise ModelError(f"{Path(folder) / settings} is of {kind!r}; {cls.use!r} reads {' or '.join(kinds)}")
        table = held.pop("table", None)
        try:
            return cls(kinds[kind].of(told, held), table)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{Path(folder) / settings} and {arrays} do not make a {cls.use!r} encoder: {error}"
            ) from error


def bags_of(reader: Reader, texts: Iterable[str]) -> list[Bag]:
    """What is in each text."""
    return [reader(text) for text in texts]


def _settings(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(told, dict):
        raise ModelError(f"{path} does not hold the settings of an encoder")
    return told
