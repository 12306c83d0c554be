"""Models and feature extractors of transformers, by hub id or folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from duretrieval.encode.hub.source import local
from duretrieval.errors import ModelError

UNUSED = "masked_spec_embed"
"""A weight that only pretraining uses, which some checkpoints lack."""


def load_model(kind: Any, model: str | Path, *, pretrained: bool = True) -> Any:
    """A model of a transformers class, float32, in evaluation mode.

    pretrained: False takes the configuration alone and draws the weights at random, to train from scratch.

    Raises:
        ModelError: there is no such model in the folder or the cache, and the hub cannot be reached; or it is of
            another kind, so that weights are missing.
    """
    if not pretrained:
        from transformers import AutoConfig

        of_config = getattr(kind, "_from_config", None) or kind.from_config  # AutoModel has the latter
        return of_config(_load(getattr(kind, "config_class", None) or AutoConfig, model)).float().eval()
    with _quiet():
        network, report = _load(kind, model, output_loading_info=True)
    missing = sorted(key for key in report["missing_keys"] if not key.endswith(UNUSED))
    if missing:
        raise ModelError(
            f"{str(model)!r} is no {kind.__name__}: it has no weights for {missing[0]} and {len(missing) - 1} more; "
            "name a model of that kind, or take the encoder that fits it"
        )
    return network.float().eval()


def load_extractor(kind: Any, model: str | Path) -> Any:
    """What turns sounds into a model's inputs, a transformers class: preprocessor_config.json.

    Raises:
        ModelError: as `load_model`.
    """
    with warnings.catch_warnings():
        # AST's published 128 bands are so narrow that some hold no frequency; so the model was trained
        warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
        return _load(kind, model)


def _load(kind: Any, model: str | Path, **options: Any) -> Any:
    try:
        return kind.from_pretrained(str(model), **options, **local(model))
    except (OSError, ValueError) as error:
        raise _cannot(model, error) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the list of weights that are not used: a classifier's last layer, a decoder, the other half."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _cannot(model: str | Path, error: Exception) -> ModelError:
    reason = str(error).strip().partition("\n")[0]
    return ModelError(
        f"{str(model)!r} cannot be loaded: {reason} Give a folder that save_pretrained wrote, or a model's id, "
        "which is fetched once while online."
    )
