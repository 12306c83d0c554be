"""A pretrained model, or one fine-tuned and saved again, as a model folder of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from duretrieval import plugins, whole
from duretrieval.encode.hub import source
from duretrieval.encode.hub.sentence import load_sentence, modalities_of
from duretrieval.encode.hub.towers import Tower
from duretrieval.errors import ConfigError, UnknownPart
from duretrieval.fuse import background as backgrounds
from duretrieval.model.card import fingerprint
from duretrieval.model.seal import Origin, seal
from duretrieval.similarity import unit
from duretrieval.training.joint.net import FAMILIES, JointNet
from duretrieval.training.joint.sentence import sentence_towers
from duretrieval.training.nets.audio.clap import ClapAudio
from duretrieval.types import Array, Modality, Part, Reading

ROWS = 32
UNSTATED = "see the model's card"


def export_joint(
    model: str, folder: str | Path, *, name: str | None = None, licence: str = UNSTATED, background: Sequence[Part] = ()
) -> str:
    """Write `model` ("clip:openai/clip-vit-base-patch32", "st:FOLDER") as a folder that needs no torch.

    Its vectors equal those of `Model.load(model)` to 1e-4.  licence: of the weights, an SPDX name where there is one.
    background: ordinary texts, pictures, films or sounds (some hundreds of each), read as the model's `reading` says,
    which make its scores comparable across modalities: without, texts that match a text are found before any picture.
    Returns the folder's fingerprint.

    Raises:
        ConfigError: there is something at `folder`; or a part of the model cannot be a graph.
        ModelError: there is no such model.
        UnknownPart: there is no such kind.
    """
    kind, _, where = model.partition(":")
    files, nets, reading = _opened(kind, where)
    with whole.folder(Path(folder)) as place:
        encoders = []
        for net in nets:
            modalities = [m.value for m in Modality if m in net.modalities]  # type: ignore[operator]
            encoders.append({"modalities": modalities, **net.export(place, modalities[0])})  # type: ignore[operator]
        card = {
            "name": name or (Path(where).name if Path(where).is_dir() else where),
            "dim": nets[0].dim,
            "background": backgrounds.save(place, _background(nets, background)) if background else None,
            "reading": asdict(reading),
            "encoders": encoders,
        }
        origin = Origin(licence, f"{kind}:{_public(where)}, {_version(kind, files)}")
        made = {path.name: origin for path in sorted(place.iterdir())}
        seal(place, card, made)
    return fingerprint(Path(folder))


def _opened(kind: str, where: str) -> tuple[Path, list[nn.Module], Reading]:
    """The model's files, its towers as nets in evaluation mode, and how media are read for them."""
    known = [*FAMILIES, "st"]
    if kind not in known:
        raise UnknownPart(f"no kind of model {kind!r}.{plugins.suggest(kind, known)} There are: {', '.join(known)}")
    source.needs_torch(f"{kind}:{where}")
    files = source.folder_of(kind, where)
    towers: tuple[Tower, ...]
    if kind == "st":
        loaded: Any = load_sentence(files)
        towers = sentence_towers(loaded, where)
        if left := modalities_of(loaded).difference(*(tower.modalities for tower in towers)):
            raise ConfigError(
                f"st:{where} reads {', '.join(sorted(left))}, which cannot be written; search with it in torch"
            )
    else:
        joint = FAMILIES[kind](files)
        loaded, towers = joint.load(), joint.towers
    settings: Mapping[str, Any] = {key: value for tower in towers for key, value in tower.reading.items()}
    nets = [
        ClapAudio(files, long="cut") if Modality.AUDIO in tower.modalities else JointNet(tower, loaded)
        for tower in towers
    ]
    return files, [net.eval() for net in nets], Reading(**settings)


def _background(nets: Sequence[nn.Module], parts: Sequence[Part]) -> dict[Modality, Array]:
    rows: dict[Modality, Array] = {}
    for net in nets:
        for modality in [m for m in Modality if m in net.modalities]:  # type: ignore[operator]
            own = [part for part in parts if part.modality is modality]
            if own:
                rows[modality] = _rows(net, own)
    return backgrounds.background(rows)


def _rows(net: Any, parts: Sequence[Part]) -> Array:
    with torch.inference_mode():
        batches = [net(**net.prepare(parts[i : i + ROWS])).numpy() for i in range(0, len(parts), ROWS)]
    return unit(np.concatenate(batches))


def _public(where: str) -> str:
    """A hub id as it is; of a folder, which is a matter of this machine, its name."""
    return Path(where).absolute().name if Path(where).is_dir() else where


def _version(kind: str, files: Path) -> str:
    """The commit of a snapshot, or else the fingerprint of the files."""
    return f"commit {files.name}" if files.parent.name == "snapshots" else f"files {source.fingerprint(kind, files)}"
