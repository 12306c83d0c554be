"""Which of a run's encoders go into a folder of another library, and why one cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.training.build.frozen import Still
from duretrieval.training.build.lora import merge_lora
from duretrieval.training.build.network import Network
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.joint.net import FAMILIES
from duretrieval.training.recipe import films
from duretrieval.training.recipe.recipe import Recipe
from duretrieval.types import Modality

Layout = Literal["sentence-transformers", "transformers"]
SENTENCE = "sentence-transformers"
"""The layout's name, and that of the encoder that reads it."""
GO_BACK = ("transformer", SENTENCE, *FAMILIES)
"""Encoders of a recipe that are a model of one of the libraries."""
COSINES = frozenset({"cosine", "inner-product"})
"""Scores that unit vectors have without anything learned."""
WITHOUT = "leave --as out, and the run becomes a folder of the engine, which holds all of it"


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """An encoder of a run that another library can read, and the head behind it."""

    modality: Modality
    use: str
    """The encoder's name in the recipe."""
    model: str
    """What it began as: a hub id or a folder."""
    net: Any
    """A `contracts.Net`, its adapters merged, in evaluation mode."""
    head: nn.Module
    head_name: str
    canonical: nn.Module | None
    """What follows the head."""


def towers(recipe: Recipe, prepared: Prepared, network: Network, layout: str, only: str | None) -> list[Tower]:
    """Those of the run, or of one modality of it: of one model, which a folder of the layout can hold.

    Raises:
        ConfigError: the run has no such modality, or a part of it has no place in the layout; the message names it.
    """
    present = sorted(set(network.columns.values()), key=list(Modality).index)
    if only is not None and only not in present:
        raise ConfigError(f"this run has no {only!r} to write alone; it has {', '.join(present)}")
    _check_compared(recipe, only)
    found = [_tower(recipe, prepared, network, modality) for modality in ([Modality(only)] if only else present)]
    _check_one(found, layout)
    return found


def _check_compared(recipe: Recipe, only: str | None) -> None:
    score = None if recipe.score is None or recipe.score.use in COSINES else recipe.score
    for table, part in (("fusion", recipe.fusion), ("score", score)):
        if part is not None and only is None:
            raise ConfigError(
                f"the {table} of this run is {part.use!r}, and a folder of vectors holds none; give --only text (or "
                f"another modality) to write one encoder without it, or {WITHOUT}"
            )


def _tower(recipe: Recipe, prepared: Prepared, network: Network, modality: Modality) -> Tower:
    spec = films.encoding(recipe, modality)
    if modality in network.tokens:
        raise ConfigError(
            f"the encoder of {modality} hands on tokens to a fusion, and has no row of its own; {WITHOUT}"
        )
    net = _net(prepared, network, modality)
    if net is None or spec.use not in GO_BACK:
        raise ConfigError(
            f"the encoder of {modality} is {spec.use!r}, which is no model of transformers or sentence-transformers "
            f"as a whole; those that go back are {', '.join(GO_BACK)}. Give --only for another modality, or {WITHOUT}"
        )
    return Tower(
        modality,
        spec.use,
        str(spec.options.get("model", "")),
        merge_lora(net).eval(),
        network.heads[modality.value],
        recipe.align.use if recipe.align is not None else films.head(recipe, modality).use,
        network.canonical,
    )


def _net(prepared: Prepared, network: Network, modality: Modality) -> Any:
    """The encoder, whether it learns or not; None where it is a part of the engine."""
    if modality.value in network.encoders:
        return network.encoders[modality.value]
    frozen = prepared.encoders.frozen[modality].encoder
    return frozen.net if isinstance(frozen, Still) else None


def _check_one(found: Sequence[Tower], layout: str) -> None:
    """All of one model, which is of the layout."""
    first = found[0]
    for other in found[1:]:
        if (other.use, other.model) != (first.use, first.model):
            raise ConfigError(
                f"the encoder of {first.modality} is {first.use!r} of {first.model} and that of {other.modality} is "
                f"{other.use!r} of {other.model}; a folder holds one model, so write one with --only {first.modality}"
            )
        if films.usual(other.modality) == films.usual(first.modality) and other.net is not first.net:
            raise ConfigError(
                f"{first.modality} and {other.modality} have learned apart, and a folder has one encoder for both; "
                f"write one with --only {first.modality}"
            )
    wanted = {SENTENCE: SENTENCE, "transformer": layout}.get(first.use, "transformers")
    if layout != wanted:
        raise ConfigError(f"the encoder of {first.modality} is {first.use!r}, which goes back by --as {wanted}")
