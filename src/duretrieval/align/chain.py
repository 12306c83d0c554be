"""Aligners after one another, and side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from duretrieval import plugins
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.protocols import Aligner
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality

Entry = Mapping[str, Any]
"""One aligner in model.toml: {"use": "ridge", "options": {...}}."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One aligner's rows through the next: f(x) = f_k(... f_2(f_1(x))), such as a centring and then a head.

    Raises:
        ConfigError: there is no aligner.
    """

    parts: tuple[Aligner, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _held(self.parts))

    @property
    def dim(self) -> int:
        """Length of the rows that come out."""
        return self.parts[-1].dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d_in) -> (n, dim) unit rows. Raises what its aligners raise."""
        for part in self.parts:
            vectors = part(vectors, modality)
        return vectors

    @classmethod
    def load(cls, folder: str | Path, *, parts: Sequence[Entry]) -> Self:
        """The aligners that `save` wrote. Raises UnknownPart where one is not installed."""
        return cls(tuple(_load(folder, parts)))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write every aligner, in files that begin with `name`; returns the options that `load` needs."""
        return {"parts": _save(self.parts, folder, name)}


@dataclass(frozen=True, slots=True)
class Sum:
    """Several aligners' rows, weighted and added: f(x) = sum_i w_i f_i(x), made unit.

    What a head learned and what class names say, for one (`Conse`): each is right where the other knows nothing. On
    unit rows it ranks the candidates by the weighted sum of the cosines that the aligners would give alone.

    weights: one an aligner; only their ratio matters.

    Raises:
        ConfigError: there is no aligner, or not one finite weight for each, or all are 0.
        ShapeError: the aligners end in rows of different length.
    """

    parts: tuple[Aligner, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _held(self.parts))
        object.__setattr__(self, "weights", tuple(map(float, self.weights)))
        if len(self.weights) != len(self.parts) or not all(map(math.isfinite, self.weights)) or not any(self.weights):
            raise ConfigError(
                f"the weights of {len(self.parts)} aligners are {list(self.weights)}; "
                "give one finite number for each, not all 0"
            )
        if len({part.dim for part in self.parts}) > 1:
            raise ShapeError(
                f"aligners that are added must end in the same space; these have {[part.dim for part in self.parts]} "
                "dimensions"
            )

    @property
    def dim(self) -> int:
        """Length of the rows that come out."""
        return self.parts[0].dim

    def __call__(self, vectors: Array, modality: Modality, /) -> Array:
        """(n, d_in) -> (n, dim) unit rows; a row whose terms cancel is zero. Raises what its aligners raise."""
        total = np.zeros((len(vectors), self.dim), dtype=np.float32)
        for part, weight in zip(self.parts, self.weights, strict=True):
            total += np.float32(weight) * part(vectors, modality)
        return unit(total)

    @classmethod
    def load(cls, folder: str | Path, *, parts: Sequence[Entry], weights: Sequence[float]) -> Self:
        """The aligners that `save` wrote. Raises UnknownPart where one is not installed."""
        return cls(tuple(_load(folder, parts)), tuple(weights))

    def save(self, folder: str | Path, name: str) -> dict[str, Any]:
        """Write every aligner, in files that begin with `name`; returns the options that `load` needs."""
        return {"parts": _save(self.parts, folder, name), "weights": list(self.weights)}


def _held(parts: Sequence[Aligner]) -> tuple[Aligner, ...]:
    if not parts:
        raise ConfigError("there is no aligner to run; give at least one")
    return tuple(parts)


def _load(folder: str | Path, entries: Sequence[Entry]) -> list[Aligner]:
    return [plugins.find("aligners", entry["use"]).load(folder, **entry.get("options", {})) for entry in entries]


def _save(parts: Sequence[Any], folder: str | Path, name: str) -> list[dict[str, Any]]:
    return [
        {"use": plugins.name_of("aligners", part), "options": part.save(folder, f"{name}-{i}")}
        for i, part in enumerate(parts)
    ]
