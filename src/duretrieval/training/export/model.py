"""A trained model as a folder that the engine runs without torch."""

from __future__ import annotations

from collections.abc import Mapping
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
from duretrieval.training.build.lora import merge_lora
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.build.prepare import Prepared
from duretrieval.training.export.background import aligned, backgrounds, with_borrowed
from duretrieval.training.export.parity import compare
from duretrieval.training.recipe.films import ALIKE
from duretrieval.training.recipe.recipe import Recipe, Use
from duretrieval.types import Modality


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


def _model(recipe: Recipe, prepared: Prepared, network: Network, objective: TotalLoss, place: Path, name: str) -> Model:
    """The engine's parts, written to `place` where they are graphs."""
    encoders: dict[Modality, Encoder] = {}
    aligners: dict[Modality, Aligner] = {}
    made: dict[Any, Any] = {}

    def once(kind: str, module: Any, file: str) -> Any:
        if id(module) not in made:
            entry = module.export(place, file)
            made[id(module)] = parts.find(kind, entry["use"]).load(place, **entry["options"])
        return made[id(module)]

    columns = {m for m in prepared.columns.values() if m.value in network.heads}
    for modality in sorted(columns):
        head = network.heads[modality.value]
        steps: list[Aligner] = []
        if modality.value in network.encoders:
            encoders[modality] = once("encoders", merge_lora(network.encoders[modality.value]), f"encoder-{modality}")
        else:
            frozen = prepared.encoders.frozen[modality]
            net = getattr(frozen.encoder, "net", None)  # a frozen net becomes a graph; another encoder needs no torch
            encoders[modality] = frozen.encoder if net is None else once("encoders", net, f"encoder-{modality}")
            steps += [frozen.aligner] if frozen.aligner else []
        if isinstance(head, Fitted):
            steps += [head.aligner] if hasattr(head.aligner, "save") else []
        elif any(True for _ in head.state_dict()):
            steps.append(once("aligners", head, f"head-{modality}"))
        if network.canonical is not None:
            steps.append(made.setdefault("canonical", network.canonical.aligner))
        if steps:
            aligners[modality] = _chained(steps, made)
    _bring_along(recipe, prepared, columns, encoders, aligners)
    extra: dict[str, Any] = {}
    if network.fusion is not None:
        extra["fusion"] = once("fusions", network.fusion, "fusion")
    if isinstance(objective.score, nn.Module) and hasattr(objective.score, "export"):
        scorer = once("scorers", objective.score, "scorer")
        extra["scorer"] = lambda: scorer
    if recipe.codes is not None:
        coder = fit_codes(recipe.codes, prepared, network)
        extra["codes"] = lambda: coder
    return Model(
        name,
        encoders,
        dim=recipe.dim,
        fingerprint="being written",
        aligners=aligners,
        reading=prepared.encoders.reading,
        dims=() if "scorer" in extra else recipe.dims,
        background=lambda: with_borrowed(backgrounds(prepared, network), encoders, columns),
        **extra,
    )


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


def _chained(steps: list[Aligner], made: dict[Any, Any]) -> Aligner:
    """One aligner of several; the same one for modalities that share them all."""
    if len(steps) == 1:
        return steps[0]
    key = tuple(map(id, steps))
    if key not in made:
        made[key] = Chain(tuple(steps))
    return made[key]  # type: ignore[no-any-return]


def fit_codes(spec: Use, prepared: Prepared, network: Network) -> Aligner:
    """Binary codes for the vectors of this model, fitted to those of the training rows.

    Raises:
        ConfigError: as the aligner's `fit`.
    """
    found = parts.find("aligners", spec.use)
    rows = prepared.rows["train"]
    vectors = np.concatenate([aligned(network, rows, m) for m in dict.fromkeys(prepared.columns.values())])
    coder: Aligner = found.fit(vectors, **spec.options)
    return coder
