"""A folder of sentence-transformers: a transformer and its pooling, or a model of that library, and the head behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from duretrieval import whole
from duretrieval.encode.hub.sentence import load_sentence
from duretrieval.encode.hub.source import folder_of, quietly
from duretrieval.errors import ConfigError
from duretrieval.training.export.hub.dense import behind, changes_nothing, dense
from duretrieval.training.export.hub.towers import WITHOUT, Tower
from duretrieval.training.export.hub.weights import save_text, take
from duretrieval.training.nets.text.transformer import TextTransformer

POOLING = {"cls": "cls", "mean": "mean", "max": "max", "last": "lasttoken"}
"""Ours -> theirs."""


@quietly()
def write_sentence(towers: Sequence[Tower], place: Path) -> None:
    """Write the folder's files; it ends in vectors of unit length.

    Raises:
        ConfigError: a part cannot be said in the library's modules; the message names it.
    """
    if isinstance(towers[0].net, TextTransformer):
        _text(towers[0], place)
    else:
        _own(towers, place)


def _text(tower: Tower, place: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    net: TextTransformer = tower.net
    if net.pooling not in POOLING:
        raise ConfigError(
            f"the pooling of text is {net.pooling!r}, and a folder of sentence-transformers has "
            f"{', '.join(POOLING)}; train with one of these, or {WITHOUT}"
        )
    after = behind(tower)
    project = [] if net.project is None else [dense(net.project.weight, None)]
    prompts = {"prompts": {"text": net.prefix}, "default_prompt_name": "text"} if net.prefix else {}
    with whole.scratch() as scratch:
        save_text(tower, scratch)
        first = Transformer(str(scratch), max_seq_length=net.max_tokens)
        pooling = Pooling(first.get_embedding_dimension(), POOLING[net.pooling])
        _save([first, pooling, *project, Normalize(), *after], place, prompts)


def _own(towers: Sequence[Tower], place: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Normalize

    moved = [tower for tower in towers if not changes_nothing(tower)]
    model: Any = load_sentence(folder_of("st", towers[0].model))
    if moved and len([name for name in model.modalities if isinstance(name, str)]) > 1:
        raise ConfigError(
            f"the head of {moved[0].modality} is {moved[0].head_name!r}, and what stands behind this model stands "
            f"behind all that it reads; train with the head identity, or {WITHOUT}"
        )
    for tower in towers:
        take(model, tower.net.model, tower)
    modules = list(model)
    if not isinstance(modules[-1], Normalize):
        modules.append(Normalize())
    prompts = {"prompts": model.prompts, "default_prompt_name": model.default_prompt_name}
    _save([*modules, *behind(towers[0])], place, prompts)


def _save(modules: list[nn.Module], place: Path, prompts: dict[str, Any]) -> None:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(modules=modules, device="cpu", **prompts).save(str(place), create_model_card=False)
