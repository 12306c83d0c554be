"""A recipe and the columns of its data, as modules that learn and encoders that do not."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.align.canonical import canonical_for, turns
from duretrieval.training.build.freeze import select
from duretrieval.training.build.frozen import Frozen, Still, from_model
from duretrieval.training.build.lora import add_lora
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import Objective, Term, inner
from duretrieval.training.contracts import Net
from duretrieval.training.data.sample import Sample
from duretrieval.training.recipe.parts import make
from duretrieval.training.recipe.recipe import Encoding, Recipe, Use
from duretrieval.training.samplers.sources import Ints
from duretrieval.types import Modality, Reading

HEAD = Use("mlp")
PICTURES = (Modality.IMAGE, Modality.VIDEO)


@dataclass(frozen=True, slots=True, eq=False)
class Encoders:
    """What encodes each modality of the data."""

    frozen: Mapping[Modality, Frozen]
    nets: Mapping[Modality, Net]
    """Those with parameters that learn."""
    groups: Sequence[tuple[list[nn.Parameter], float | None]]
    """Their parameters and learning rates; None is that of `Fit`."""
    reading: Reading
    identities: Mapping[Modality, str]
    """A name for each frozen encoder that changes when its rows would."""

    def dim(self, modality: Modality) -> int:
        """Length of a modality's rows."""
        return self.nets[modality].dim if modality in self.nets else self.frozen[modality].dim


def make_encoders(recipe: Recipe, modalities: Iterable[Modality], texts: Sequence[str]) -> Encoders:
    """The encoder of each modality; a film has the picture's where it has none of its own.

    modalities: those of the data; what the recipe says of others does not matter.
    texts: those of the training rows, for encoders that are made from words (word2vec, bag of words).

    Raises:
        ConfigError: an encoder does not read the modality, or two want media read differently.
    """
    torch.manual_seed(recipe.seed + 2)  # nets without pretrained weights and adapters begin at random
    frozen: dict[Modality, Frozen] = {}
    nets: dict[Modality, Any] = {}
    groups: list[tuple[list[nn.Parameter], float | None]] = []
    identities: dict[Modality, str] = {}
    wanted: dict[str, Any] = {}
    made: dict[int, Any] = {}
    opened: dict[str, Model] = {}
    modalities = set(modalities)
    for modality in sorted(modalities, key=list(Modality).index):
        spec = encoding(recipe, modality)
        known = {"modality": modality, "tower": modality.value, "texts": texts, "opened": opened}
        encoder = made.get(id(spec))
        if encoder is None or modality not in encoder.modalities:
            encoder = make("train.encoders", Use(spec.use, spec.options), known)
        if modality in encoder.modalities and spec.use not in ("builtin", "model"):
            made[id(spec)] = encoder  # one encoder reads pictures and the frames of films
        _check_modality(spec.use, encoder, modality)
        _agree(wanted, getattr(encoder, "reading", {}), spec.use)
        if not isinstance(encoder, nn.Module):
            if spec.train or spec.lora:
                raise ConfigError(f"{spec.use!r} for {modality} has nothing that learns; leave `train` and `lora` out")
            frozen[modality] = encoder if isinstance(encoder, Frozen) else Frozen(encoder)
            identities[modality] = identity(frozen[modality], spec, modality)
        elif spec.train or spec.lora:
            if not any(encoder is net for net in nets.values()):
                groups += _learning(encoder, spec)
            nets[modality] = encoder
        else:
            frozen[modality] = Frozen(Still(encoder))  # type: ignore[arg-type]
            identities[modality] = identity(frozen[modality], spec, modality)
    reading = Reading(**wanted)
    frozen |= kept(recipe, modalities, reading, opened)
    return Encoders(frozen, nets, groups, reading, identities)


def encoding(recipe: Recipe, modality: Modality) -> Encoding:
    """How a recipe encodes a modality."""
    table = recipe.encoders
    return table.get(modality) or table.get(_usual(modality)) or Encoding()


def kept(
    recipe: Recipe, present: Iterable[Modality], reading: Reading, opened: dict[str, Model] | None = None
) -> dict[Modality, Frozen]:
    """What the data lacks and the built-in model has, for a model that leaves its text space as it is.

    A head trained on pictures and texts ends in the space in which the built-in model puts sounds too, so sounds can
    still be found.  Nothing where the text space moves, modalities are fused, or media are read otherwise.  opened: as
    `from_model`.
    """
    there, text = set(present), encoding(recipe, Modality.TEXT)
    head = recipe.heads.get(Modality.TEXT)
    onto = recipe.align is not None and recipe.align.use != "cca" and recipe.align.options.get("onto", "text") == "text"
    same = onto or (recipe.align is None and head is not None and head.use == "identity")
    if Modality.TEXT not in there or text != Encoding() or not same or recipe.fusion is not None or turns(recipe):
        return {}
    usual = Reading()
    pictures = (reading.image_side, reading.image_fit) == (usual.image_side, usual.image_fit)
    fits = {Modality.AUDIO: reading.sample_rate == usual.sample_rate, Modality.IMAGE: pictures}
    fits[Modality.VIDEO] = pictures and Modality.IMAGE not in there  # or else the picture's own serves
    return {
        modality: from_model(modality, opened=opened) for modality, fit in fits.items() if fit and modality not in there
    }


def _check_modality(name: str, encoder: Any, modality: Modality) -> None:
    if modality not in encoder.modalities:
        reads = ", ".join(sorted(encoder.modalities))
        raise ConfigError(f"{name!r} encodes {reads}, not {modality}; give [encoders.{modality}] another")


def _agree(wanted: dict[str, Any], asked: Mapping[str, Any], name: str) -> None:
    known = {f.name for f in fields(Reading)}
    for key, value in asked.items():
        if key not in known or wanted.setdefault(key, value) != value:
            raise ConfigError(
                f"{name!r} wants {key} = {value!r} and another encoder {key} = {wanted.get(key)!r}; one model reads "
                "media one way, so choose encoders that agree"
            )


def _learning(net: nn.Module, spec: Encoding) -> list[tuple[list[nn.Parameter], float | None]]:
    """Freeze what the recipe does not name; what is left, with its rate."""
    if spec.lora:
        add_lora(net, spec.lora)
        chosen = [p for p in net.parameters() if p.requires_grad]
        if spec.train:
            chosen += [p for p in select(net, spec.train) if not any(p is known for known in chosen)]
        return [(chosen, spec.lr)]
    return [(list(select(net, spec.train)), spec.lr)]


def identity(frozen: Frozen, spec: Encoding, modality: Modality) -> str:
    """16 hex digits of what the encoder is made of: its settings and its weights."""
    held = hashlib.sha256(repr((spec.use, sorted(spec.options.items(), key=str), modality.value)).encode())
    for part in (frozen.encoder, frozen.aligner):
        if isinstance(part, Still):
            for name, tensor in part.net.state_dict().items():  # type: ignore[attr-defined]
                held.update(name.encode() + tensor.detach().contiguous().cpu().float().numpy().tobytes())
        elif part is not None and hasattr(part, "save"):
            with tempfile.TemporaryDirectory(prefix="duretrieval-") as folder:
                held.update(repr(part.save(Path(folder), "part")).encode())
                for file in sorted(Path(folder).iterdir()):
                    held.update(file.name.encode() + file.read_bytes())
    return held.hexdigest()[:16]


def make_network(
    recipe: Recipe,
    encoders: Encoders,
    columns: Mapping[str, Modality],
    fitted: Mapping[Modality, nn.Module] | None = None,
) -> Network:
    """Heads and fusion on top of the encoders, with parameters that follow from the recipe's seed.

    fitted: heads that are there already.
    """
    torch.manual_seed(recipe.seed)
    used = {columns[name] for view in recipe.views for name in view}
    heads: dict[Modality, nn.Module] = dict(fitted or {})
    for modality in sorted(used, key=list(Modality).index):
        if modality in heads:
            continue
        if modality is Modality.VIDEO and Modality.IMAGE in heads and _as_pictures(recipe, encoders):
            heads[modality] = heads[Modality.IMAGE]
            continue
        spec = recipe.heads.get(modality) or recipe.heads.get(_usual(modality)) or HEAD
        known = {"modality": modality}
        heads[modality] = make("train.heads", spec, known, {"dim_in": encoders.dim(modality), "dim": recipe.dim})
    fusion = None
    if recipe.fusion is not None:
        ordered = tuple(sorted(used, key=list(Modality).index))
        fixed = {"modalities": ordered, "width": recipe.dim, "dim": recipe.dim}
        fusion = make("train.fusions", recipe.fusion, fixed)
    nets = {modality: net for modality, net in encoders.nets.items() if modality in used}
    return Network(
        encoders=nets,  # type: ignore[arg-type]
        heads=heads,
        columns=columns,
        views=recipe.views,
        dim=recipe.dim,
        fusion=fusion,
        canonical=canonical_for(recipe, columns),
    )


def _usual(modality: Modality) -> Modality:
    """Whose settings a modality has where it has none of its own: a film, the picture's."""
    return Modality.IMAGE if modality is Modality.VIDEO else modality


def _as_pictures(recipe: Recipe, encoders: Encoders) -> bool:
    """Whether films, which have no head of their own, come from the encoder of pictures and so belong in one space."""
    alike = encoding(recipe, Modality.VIDEO) == encoding(recipe, Modality.IMAGE)
    same_width = encoders.dim(Modality.VIDEO) == encoders.dim(Modality.IMAGE)
    return Modality.VIDEO not in recipe.heads and alike and same_width


def make_objective(recipe: Recipe, network: Network, classes: int) -> Objective:
    """The losses, the score they read, and the memory of earlier batches."""
    torch.manual_seed(recipe.seed + 1)
    known = {"dim": recipe.dim, "classes": classes}
    score = make("train.scores", recipe.score, known) if recipe.score else inner
    terms = []
    for spec in recipe.losses:
        loss = make("train.losses", Use(spec.use, spec.options), known)
        reads = getattr(loss, "reads", "scores")
        classifier = nn.Linear(recipe.dim, classes) if reads == "labels" and classes else None
        terms.append(Term(loss, spec.weight, reads, spec.views, classifier, spec.on))
    memory = None
    if recipe.fit.memory:
        from duretrieval.training.losses.memory import Memory

        memory = Memory(recipe.fit.memory)
    return Objective(terms, score, memory)


def draw_of(
    spec: Use, samples: Sequence[Sample], columns: Iterable[str]
) -> Callable[[int, int], Callable[[int], Ints]]:
    """The rows of each step by a recipe's sampler, of a batch size and a seed; of columns only these count."""
    used = set(columns)
    known = [replace(s, columns={name: part for name, part in s.columns.items() if name in used}) for s in samples]
    return partial(make("train.samplers", spec, {}), known)


def groups(network: Network, objective: Objective, encoders: Encoders) -> list[tuple[list[nn.Parameter], float | None]]:
    """Everything that learns, with its learning rate; None is that of `Fit`."""
    own = {id(p) for parameters, _ in encoders.groups for p in parameters}
    inside = {id(p) for net in network.encoders.values() for p in net.parameters()}
    rest = [p for p in [*network.parameters(), *objective.parameters()] if id(p) not in own | inside]
    found = [(rest, None), *encoders.groups]
    if not any(parameters for parameters, _ in found):
        raise ConfigError(
            "nothing in this recipe learns; give it a head such as mlp, a fusion, or `train` in [encoders]"
        )
    return [group for group in found if group[0]]
