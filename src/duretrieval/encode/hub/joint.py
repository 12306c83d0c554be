"""A family's model, opened as an engine model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.encode.hub import source
from duretrieval.encode.hub.pretrained import read, whole_model
from duretrieval.encode.hub.towers import Tower, TowerEncoder, Weights
from duretrieval.errors import ModelError
from duretrieval.protocols import Encoder
from duretrieval.types import Modality, Reading


@dataclass(frozen=True, slots=True)
class Opened:
    """What `Model.load` makes a model of."""

    name: str
    """What opens it again, from anywhere: "clip:openai/clip-vit-base-patch32", or with the whole path of a folder."""
    encoders: Mapping[Modality, Encoder]
    dim: int
    reading: Reading
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Joint:
    """The towers of a model and the folder of its files; nothing of the weights is read yet."""

    folder: Path
    towers: tuple[Tower, ...]

    def load(self) -> Any:
        """The model of transformers with all its towers, float32, in evaluation mode.

        Raises:
            ModelError: the weights cannot be read, are of other sizes than config.json says, or some are missing.
        """
        from transformers import AutoModel

        return whole_model(AutoModel, self.folder)


def opened(kind: str, name: str, read: Callable[[Path], Joint]) -> Opened:
    """Find the files of a model and make encoders of its towers.

    Raises:
        MissingExtra: torch or transformers is not installed.
        ModelError: there are no such files, or they are of another family.
    """
    source.needs_torch(f"{kind}:{name}")
    joint = read(source.folder_of(kind, name))
    weights = Weights(joint.load)
    encoders: dict[Modality, Encoder] = {}
    for tower in joint.towers:
        encoder = TowerEncoder(tower, weights)
        encoders |= dict.fromkeys(sorted(tower.modalities), encoder)
    return Opened(
        name=lasting_name(kind, name),
        encoders=encoders,
        dim=joint.towers[0].dim,
        reading=Reading(**{key: value for tower in joint.towers for key, value in tower.reading.items()}),
        fingerprint=source.fingerprint(kind, joint.folder),
    )


def lasting_name(kind: str, name: str) -> str:
    """The name that opens the same model from any working folder."""
    folder = Path(name).expanduser()
    return f"{kind}:{folder.absolute() if folder.is_dir() else name}"


def config_of(folder: Path, *types: str) -> Any:
    """The configuration in a folder, which must be of one of these model types.

    Raises:
        ModelError: it is of another, or cannot be read.
    """
    from transformers import AutoConfig

    config = read(AutoConfig, folder, "configuration")
    if config.model_type not in types:
        raise ModelError(f"{folder} holds a model of type {config.model_type!r}, not {' or '.join(types)}")
    return config
