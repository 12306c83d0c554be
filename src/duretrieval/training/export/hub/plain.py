"""A folder of transformers: a joint model with the towers that have learned, or a transformer of texts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from duretrieval.encode.hub.source import DECIDING, folder_of, quietly
from duretrieval.errors import ConfigError
from duretrieval.training.export.hub.dense import changes_nothing
from duretrieval.training.export.hub.towers import SENTENCE, WITHOUT, Tower
from duretrieval.training.export.hub.weights import save_text, take
from duretrieval.training.joint.net import FAMILIES
from duretrieval.training.nets.text.transformer import TextTransformer


@quietly()
def write_transformers(towers: Sequence[Tower], place: Path) -> None:
    """The model as `save_pretrained` has it, and the tokenizer and processor files of the one it began as.

    Raises:
        ConfigError: a head, a projection or a pooling stands between its rows and the run's; the message names it.
    """
    _check_plain(towers)
    if isinstance(towers[0].net, TextTransformer):
        _check_bare(towers[0].net)
        save_text(towers[0], place)
        return
    joint = FAMILIES[towers[0].use](folder_of(towers[0].use, towers[0].model))
    model = joint.load()
    for tower in towers:
        take(model, tower.net.model, tower)
    model.save_pretrained(place)
    for file in sorted(joint.folder.iterdir()):
        if file.name in DECIDING - {"config.json"}:
            shutil.copyfile(file, place / file.name)


def _check_plain(towers: Sequence[Tower]) -> None:
    """Raise ConfigError where a head, or what follows it, stands between a tower's rows and the run's vectors."""
    for tower in (tower for tower in towers if not changes_nothing(tower)):
        other = f"give --as {SENTENCE}, " if isinstance(tower.net, TextTransformer) else ""
        raise ConfigError(
            f"the head of {tower.modality} is {tower.head_name!r}, and a folder of transformers ends in the encoder; "
            f"{other}train with the head identity, or {WITHOUT}"
        )


def _check_bare(net: TextTransformer) -> None:
    """Raise ConfigError where a transformer of texts ends in something learned that its own class has no place for."""
    if net.project is not None or net.attention is not None:
        part = "a projection (dim)" if net.project is not None else "the pooling 'attention'"
        raise ConfigError(
            f"the encoder of text ends in {part}, and a folder of transformers has no place for what that has learned; "
            f"give --as {SENTENCE} for a projection, train without, or {WITHOUT}"
        )
