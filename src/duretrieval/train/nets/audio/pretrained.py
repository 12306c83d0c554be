"""Models and feature extractors of transformers, by hub id or folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duretrieval.errors import ModelError


def load_model(kind: Any, model: str | Path, *, pretrained: bool = True) -> Any:
    """A model of a transformers class, float32, in evaluation mode.

    pretrained: False takes the configuration alone and draws the weights at random, to train from scratch.

    Raises:
        ModelError: there is no such model in the folder or the cache, and the hub cannot be reached.
    """
    if pretrained:
        return _load(kind, model).float().eval()
    from transformers import AutoConfig

    of_config = getattr(kind, "_from_config", None) or kind.from_config  # AutoModel has the latter
    return of_config(_load(getattr(kind, "config_class", None) or AutoConfig, model)).float().eval()


def load_extractor(kind: Any, model: str | Path) -> Any:
    """What turns sounds into a model's inputs, a transformers class: preprocessor_config.json.

    Raises:
        ModelError: as `load_model`.
    """
    return _load(kind, model)


def _load(kind: Any, model: str | Path) -> Any:
    try:
        return kind.from_pretrained(str(model))
    except (OSError, ValueError) as error:
        raise _cannot(model, error) from error


def _cannot(model: str | Path, error: Exception) -> ModelError:
    reason = str(error).strip().partition("\n")[0]
    return ModelError(
        f"{str(model)!r} cannot be loaded: {reason} Give a folder that save_pretrained wrote, or a model's id, "
        "which is fetched once while online."
    )
