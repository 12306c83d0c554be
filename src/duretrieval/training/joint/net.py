"""One tower of a pretrained joint model, as a net that trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval import plugins
from duretrieval.encode.hub import clap as clap_family
from duretrieval.encode.hub import clip as clip_family
from duretrieval.encode.hub import siglip as siglip_family
from duretrieval.encode.hub.image import ImageTower
from duretrieval.encode.hub.joint import Joint
from duretrieval.encode.hub.source import folder_of
from duretrieval.encode.hub.text import TextTower
from duretrieval.encode.hub.towers import Tower
from duretrieval.errors import ConfigError
from duretrieval.training.joint.graphs import export_image, export_text
from duretrieval.training.nets.audio.clap import ClapAudio
from duretrieval.types import Modality, Part

FAMILIES: dict[str, Callable[[Path], Joint]] = {
    "clip": clip_family.clip,
    "chinese-clip": clip_family.chinese_clip,
    "siglip": siglip_family.siglip,
    "siglip2": siglip_family.siglip2,
    "clap": clap_family.clap,
}
MODULES = {
    Modality.TEXT: frozenset({"text_model", "text_projection"}),
    Modality.IMAGE: frozenset({"vision_model", "visual_projection"}),
    Modality.AUDIO: frozenset({"audio_model", "audio_projection"}),
}
"""Children of transformers' joint models that a modality needs."""


class JointNet(nn.Module):
    """A `contracts.Net` around a model of transformers: the rows of one tower, in the space it shares with the other.

    Rows of texts and pictures are as the model gives them, not unit; those of films are means of unit rows.
    """

    def __init__(self, tower: Tower, model: nn.Module) -> None:
        super().__init__()
        self.tower = tower
        self.model = model

    @property
    def dim(self) -> int:
        """Width of the shared space."""
        return self.tower.dim

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the tower reads."""
        return self.tower.modalities

    @property
    def reading(self) -> Mapping[str, Any]:
        """As the model's own processor says."""
        return self.tower.reading

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        """See the tower: `encode.hub.text`, `encode.hub.image`.

        Raises:
            ShapeError: a part's content is not what the tower reads.
        """
        return {name: torch.from_numpy(array) for name, array in self.tower.arrays(parts).items()}

    def forward(self, **inputs: Tensor) -> Tensor:
        """(b, dim)."""
        rows: Tensor = self.tower.rows(self.model, **inputs)
        return rows

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write the tower's graph, and its tokenizer if it reads texts."""
        if isinstance(self.tower, TextTower):
            return export_text(self.tower, self.model, folder, name)
        assert isinstance(self.tower, ImageTower)
        return export_image(self.tower, self.model, folder, name)


def clip(model: str | Path, tower: str) -> nn.Module:
    """The text or image tower ("text", "image", "video") of a CLIP model, by hub id or folder."""
    return joint_net("clip", model, tower)


def chinese_clip(model: str | Path, tower: str) -> nn.Module:
    """The text or image tower of a Chinese-CLIP model."""
    return joint_net("chinese-clip", model, tower)


def siglip(model: str | Path, tower: str) -> nn.Module:
    """The text or image tower of a SigLIP model."""
    return joint_net("siglip", model, tower)


def siglip2(model: str | Path, tower: str) -> nn.Module:
    """The text or image tower of a SigLIP 2 model."""
    return joint_net("siglip2", model, tower)


def clap(model: str | Path, tower: str) -> nn.Module:
    """The text or audio tower of a CLAP model; the audio tower of one without fusion."""
    return joint_net("clap", model, tower)


def joint_net(kind: str, model: str | Path, tower: str) -> nn.Module:
    """The tower of a family's model that reads a modality; the other tower's weights are let go.

    Raises:
        ConfigError: the model has no such tower.
        ModelError: there is no such model; see `encode.hub.source`.
    """
    joint = FAMILIES[kind](folder_of(kind, str(model)))
    chosen = tower_for(kind, joint.towers, tower)
    if Modality.AUDIO in chosen.modalities:
        return ClapAudio(joint.folder, long="cut")
    return JointNet(chosen, only(joint.load(), chosen))


def tower_for(kind: str, towers: Sequence[Tower], name: str) -> Tower:
    """The tower that reads the modality of this name.

    Raises:
        ConfigError: none does.
    """
    names = [modality.value for tower in towers for modality in sorted(tower.modalities)]
    for tower in towers:
        if name in [modality.value for modality in tower.modalities]:
            return tower
    raise ConfigError(f"{kind!r} has no tower {name!r}.{plugins.suggest(name, names)} It has: {', '.join(names)}")


def only(model: Any, tower: Tower) -> Any:
    """The model without what the tower does not need; its own scale and bias of similarities go too."""
    needed = frozenset().union(*(MODULES.get(modality, frozenset()) for modality in tower.modalities))
    for name, _ in [*model.named_children(), *model.named_parameters(recurse=False)]:
        if name not in needed:
            delattr(model, name)
    return model
