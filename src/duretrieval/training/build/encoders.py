"""What encodes each modality of a recipe: frozen, or learning with the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from duretrieval import whole
from duretrieval.encode.sequences import check_sequential
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.training.align.canonical import needs_canonical
from duretrieval.training.build.freeze import select
from duretrieval.training.build.frozen import Frozen, Still, from_model
from duretrieval.training.build.lora import add_lora
from duretrieval.training.contracts import Net
from duretrieval.training.recipe.films import ALIKE, encoding, usual
from duretrieval.training.recipe.parts import make
from duretrieval.training.recipe.recipe import Encoding, Recipe, Use
from duretrieval.types import Modality, Reading

SMALL = {".json", ".jinja", ".model", ".txt"}
"""Files of a published model that are no weights."""


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
    tokens: Mapping[Modality, int] = field(default_factory=dict)
    """The modalities that hand on tokens, and the most of a part."""

    def dim(self, modality: Modality) -> int:
        """Length of a modality's rows."""
        return self.nets[modality].dim if modality in self.nets else self.frozen[modality].dim


def make_encoders(recipe: Recipe, modalities: Iterable[Modality], texts: Sequence[str]) -> Encoders:
    """The encoder of each modality.

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
    opened: dict[str, Model] = {}
    modalities = sorted(set(modalities), key=list(Modality).index)
    for modality, encoder in _made(recipe, modalities, texts, opened):
        spec = encoding(recipe, modality)
        if spec.tokens:
            check_sequential(encoder.encoder if isinstance(encoder, Frozen) else encoder, spec.use)
        _agree(wanted, getattr(encoder, "reading", {}), spec.use)
        if isinstance(encoder, nn.Module) and (spec.train or spec.lora):
            if not any(encoder is net for net in nets.values()):
                groups += _learning(encoder, spec)
            nets[modality] = encoder
            continue
        if spec.train or spec.lora:
            raise ConfigError(f"{spec.use!r} for {modality} has nothing that learns; leave `train` and `lora` out")
        frozen[modality] = _frozen(encoder, spec.tokens)
        identities[modality] = identity(frozen[modality], spec, modality)
    reading = Reading(**wanted)
    frozen |= kept(recipe, modalities, reading, opened)
    tokens = {m: spec.tokens for m in modalities if (spec := encoding(recipe, m)).tokens}
    return Encoders(frozen, nets, groups, reading, identities, tokens)


def _made(
    recipe: Recipe, modalities: Sequence[Modality], texts: Sequence[str], opened: dict[str, Model]
) -> Iterator[tuple[Modality, Any]]:
    """The encoder of each modality; where the recipe gives two the same settings and one net reads both, they share it.

    A model's encoder is not shared so: what follows it there may be another for each.
    """
    found: dict[Modality, Any] = {}
    for modality in modalities:
        spec = encoding(recipe, modality)
        nets = {
            m: net
            for m, net in found.items()
            if modality in net.modalities and (spec.tokens or not isinstance(net, Frozen))
        }
        same = [net for m, net in nets.items() if encoding(recipe, m) == spec]
        known = {"modality": modality, "tower": modality.value, "texts": texts, "opened": opened, "tokens": spec.tokens}
        encoder = same[0] if same else make("train.encoders", Use(spec.use, spec.options), known)
        _check_modality(spec.use, encoder, modality)
        found[modality] = encoder
        yield modality, encoder


def _frozen(encoder: Any, tokens: int) -> Frozen:
    """An encoder of any kind that does not learn.  tokens: the most that a part has of them; 0: a row each."""
    if isinstance(encoder, nn.Module):
        return Frozen(Still(encoder), tokens=tokens)  # type: ignore[arg-type]
    return encoder if isinstance(encoder, Frozen) else Frozen(encoder, tokens=tokens)


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
    moves = text != Encoding() or not same or needs_canonical(recipe)
    if Modality.TEXT not in there or moves or recipe.fusion is not None:
        return {}
    plain = Reading()
    pictures = (reading.image_side, reading.image_fit) == (plain.image_side, plain.image_fit)
    fits = {Modality.AUDIO: reading.sample_rate == plain.sample_rate, **dict.fromkeys(ALIKE, pictures)}
    lacking = [m for m, fit in fits.items() if fit and there.isdisjoint({m, usual(m)})]
    return {modality: from_model(modality, opened=opened) for modality in lacking}


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
    """16 hex digits of what the encoder is made of: its settings, its weights, and what lies beside these in its folder
    (a tokenizer, the sizes of pictures)."""
    settings = (spec.use, sorted(spec.options.items(), key=str), modality.value)
    held = hashlib.sha256(repr((*settings, spec.tokens) if spec.tokens else settings).encode())
    for file in _beside_weights(spec.options.get("model")):
        held.update(file.name.encode() + file.read_bytes())
    for part in (frozen.encoder, frozen.aligner):
        if isinstance(part, Still):
            for name, tensor in part.net.state_dict().items():  # type: ignore[attr-defined]
                held.update(name.encode() + tensor.detach().contiguous().cpu().float().numpy().tobytes())
        elif part is not None and hasattr(part, "save"):
            with whole.scratch() as folder:
                held.update(repr(part.save(folder, "part")).encode())
                for file in sorted(folder.iterdir()):
                    held.update(file.name.encode() + file.read_bytes())
    return held.hexdigest()[:16]


def _beside_weights(model: object) -> list[Path]:
    """The small files of a model that is a folder."""
    if not isinstance(model, str | Path) or not Path(model).is_dir():
        return []
    return sorted(file for file in Path(model).rglob("*") if file.suffix in SMALL and file.is_file())
