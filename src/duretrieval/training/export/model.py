"""A trained model as a folder that the engine runs without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from duretrieval import builtin, whole
from duretrieval.align.chain import Chain
from duretrieval.model.model import Model
from duretrieval.model.seal import Origin
from duretrieval.protocols import Aligner, Encoder
from duretrieval.training import parts
from duretrieval.training.align.closed_form import Fitted
from duretrieval.training.build.frozen import Still
from duretrieval.training.build.lora import merge_lora
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.export.background import backgrounds, windows_of, with_borrowed
from duretrieval.training.export.parity import compare
from duretrieval.training.nets.heads import Identity
from duretrieval.training.recipe.films import ALIKE
from duretrieval.training.recipe.recipe import Recipe, Use
from duretrieval.types import Array, Modality


def export(
    recipe: Recipe,
    prepared: Prepared,
    network: Network,
    objective: TotalLoss,
    folder: str | Path,
    *,
    name: str | None = None,
    training: Mapping[str, Any] | None = None,
) -> Model:
    """Write the model folder and open it; a few training rows are encoded, fused and scored by both and must agree.

    Raises:
        ConfigError: there is something at `folder`.
        ModelError: the engine's vectors or scores are not torch's: an operation came out differently as a graph.
    """
    network = network.cpu().eval()
    objective = objective.cpu().eval()
    with whole.folder(Path(folder)) as written, whole.scratch() as place:
        _model(recipe, prepared, network, objective, place, name or recipe.name).save(
            written,
            training=training,
            made=Origin("as the data and the weights it was made from", f"trained by recipe {recipe.name!r}"),
            sources=[builtin.FOLDER],
        )
        # before anybody can search with it; its parts are in this process
        compare(Model.load(written, trust=True), prepared, network, objective)
    return Model.load(folder, trust=True)


class _Written:
    """The engine's parts of torch's modules, each written once: what modalities share here they share there too."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._made: dict[int, tuple[Any, Any]] = {}  # a module is held with its part, so that its id stays its own
        self._chains: dict[tuple[int, ...], Chain] = {}

    def part(self, kind: str, module: Any, file: str, **options: Any) -> Any:
        """The part of a kind that a module's graph is; options: as its `export` takes them."""
        if id(module) not in self._made:
            entry = (merge_lora(module) if kind == "encoders" else module).export(self.place, file, **options)
            self._made[id(module)] = module, parts.find(kind, entry["use"]).load(self.place, **entry["options"])
        return self._made[id(module)][1]

    def chain(self, steps: Sequence[Aligner]) -> Aligner | None:
        """One aligner of several; the same one for modalities that share them all."""
        if len(steps) < 2:
            return steps[0] if steps else None
        return self._chains.setdefault(tuple(map(id, steps)), Chain(tuple(steps)))


def _model(recipe: Recipe, prepared: Prepared, network: Network, objective: TotalLoss, place: Path, name: str) -> Model:
    """The engine's parts, written to `place` where they are graphs."""
    written = _Written(place)
    encoders: dict[Modality, Encoder] = {}
    aligners: dict[Modality, Aligner] = {}
    columns = set(prepared.columns.values())
    turn = [] if network.canonical is None else [network.canonical.aligner]
    for modality in sorted(columns):
        encoders[modality], behind = _encoder(prepared, network, modality, written)
        aligner = written.chain([*behind, *_head(network.heads[modality.value], modality, written), *turn])
        if aligner is not None:
            aligners[modality] = aligner
    _bring_along(recipe, prepared, columns, encoders, aligners)
    vectors = windows_of(network, prepared.rows["train"])
    scorer = None
    if isinstance(objective.score, nn.Module) and hasattr(objective.score, "export"):
        scorer = written.part("scorers", objective.score, "scorer")
    return Model(
        name,
        encoders,
        dim=recipe.dim,
        fingerprint="being written",
        aligners=aligners,
        reading=prepared.encoders.reading,
        dims=() if scorer is not None else recipe.dims,
        index=None if recipe.index is None else {"use": recipe.index.use, "options": dict(recipe.index.options)},
        background=with_borrowed(backgrounds(vectors, prepared, network), encoders, columns),
        scorer=None if scorer is None else lambda: scorer,
        fusion=None if network.fusion is None else written.part("fusions", network.fusion, "fusion"),
        codes=None if recipe.codes is None else fit_codes(recipe.codes, vectors),
    )


def _encoder(
    prepared: Prepared, network: Network, modality: Modality, written: _Written
) -> tuple[Encoder, list[Aligner]]:
    """A modality's encoder, and what follows it where it does not learn."""
    wanted = {"tokens": True} if modality in network.tokens else {}
    if modality.value in network.encoders:
        return written.part("encoders", network.encoders[modality.value], f"encoder-{modality}", **wanted), []
    frozen = prepared.encoders.frozen[modality]
    encoder = frozen.encoder
    if isinstance(encoder, Still):  # a frozen net becomes a graph; another encoder needs no torch
        encoder = written.part("encoders", encoder.net, f"encoder-{modality}", **wanted)
    return encoder, [frozen.aligner] if frozen.aligner else []


def _head(head: nn.Module, modality: Modality, written: _Written) -> list[Aligner]:
    """What a head is in the engine; nothing where it changes nothing."""
    if isinstance(head, Fitted):
        return [head.aligner] if hasattr(head.aligner, "save") else []
    return [] if isinstance(head, Identity) else [written.part("aligners", head, f"head-{modality}")]


def _bring_along(
    recipe: Recipe,
    prepared: Prepared,
    columns: set[Modality],
    encoders: dict[Modality, Encoder],
    aligners: dict[Modality, Aligner],
) -> None:
    """Modalities without training rows: what is `kept`; films by what pictures have, or pictures by what films have."""
    for modality in sorted(set(prepared.encoders.frozen) - columns):
        frozen = prepared.encoders.frozen[modality]
        encoders[modality] = frozen.encoder
        if frozen.aligner is not None:
            aligners[modality] = frozen.aligner
    if recipe.fusion is not None:
        return
    for learned, lacking in ALIKE.items():
        encoder = encoders.get(learned)
        if encoder is not None and lacking in encoder.modalities and lacking not in encoders:
            encoders[lacking] = encoder
            if learned in aligners:
                aligners[lacking] = aligners[learned]


def fit_codes(spec: Use, vectors: Mapping[Modality, Array]) -> Aligner:
    """Binary codes for the vectors of this model, fitted to those of the training rows.

    Raises:
        ConfigError: as the aligner's `fit`.
    """
    coder: Aligner = parts.find("aligners", spec.use).fit(np.concatenate(list(vectors.values())), **spec.options)
    return coder
