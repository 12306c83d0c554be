"""A model of shorter vectors: the same files, cut behind every aligner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from duretrieval.align.chain import Chain
from duretrieval.align.cut import Cut
from duretrieval.errors import ModelError
from duretrieval.protocols import Aligner
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality


def cut_fingerprint(fingerprint: str, dim: int) -> str:
    """What a model with this fingerprint has when it is cut: its vectors are others, and no longer mix."""
    return hashlib.sha256(f"{fingerprint} cut to {dim}".encode()).hexdigest()[:16]


def dims_of(folder: Path, card: Mapping[str, Any]) -> tuple[int, ...]:
    """What model.toml says its vectors may be cut to, the longest first.

    Raises:
        ModelError: it is no list of numbers of dimensions that are fewer than the model has.
    """
    held = card.get("dims", [])
    right = isinstance(held, list) and all(type(d) is int and 1 <= d < card["dim"] for d in held)
    if not right:
        raise ModelError(
            f"{folder / 'model.toml'} has dims = {held!r}; it lists what vectors of {card['dim']} dimensions "
            "may be cut to"
        )
    return tuple(sorted(set(held), reverse=True))


def check_cut(name: str, dim: int, dims: Sequence[int], wanted: int, whole: Sequence[str]) -> None:
    """Raises ModelError where a model cannot be cut; whole: which of its parts need whole vectors."""
    if whole:
        raise ModelError(f"model {name!r} cannot be cut: its {whole[0]} needs vectors of {dim} dimensions")
    if not dims:
        raise ModelError(
            f"model {name!r} has {dim} dimensions and does not say that it may be cut; train one with "
            f"matryoshka = [{wanted}] in its [loss]"
        )
    if wanted not in dims:
        said = ", ".join(map(str, [dim, *dims]))
        raise ModelError(f"model {name!r} has vectors of {said} dimensions, not of {wanted}; choose one of these")


def cut_aligners(
    modalities: Sequence[Modality], aligners: Mapping[Modality | None, Callable[[], Aligner]], dim: int
) -> dict[Modality, Callable[[], Aligner]]:
    """What follows the encoder of each modality in a model that is cut; shared where it was shared."""
    alone = Cut(dim)
    made: dict[int, Callable[[], Aligner]] = {}

    def behind(once: Callable[[], Aligner]) -> Callable[[], Aligner]:
        return made.setdefault(id(once), lambda: Chain((once(), alone)))

    return {m: behind(aligners[m]) if m in aligners else made.setdefault(0, lambda: alone) for m in modalities}


def cut_background(background: Mapping[Modality, Array], dim: int) -> dict[Modality, Array]:
    """Its rows, cut as those that are measured against them."""
    return {modality: unit(rows[:, :dim]) for modality, rows in background.items()}
