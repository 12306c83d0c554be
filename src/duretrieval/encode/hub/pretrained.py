"""What transformers reads from a folder or a hub id, quietly: models, configurations, tokenizers, processors.

Code that came with a model is never run, and safetensors are read where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from duretrieval import plugins
from duretrieval.encode.hub.source import quietly
from duretrieval.errors import ModelError

UNUSED = ("logit_scale", "logit_bias", "masked_spec_embed")
"""Beginnings of names of parameters that no vector depends on: of similarities, and of a mask in pretraining."""


def read(kind: Any, place: str | Path, what: str, **options: Any) -> Any:
    """What a class of transformers reads at a folder or a hub id.

    No hub is asked for what a folder lacks, nor for a name that stands in a stored file (`plugins.stored`).

    what: its name for who reads the refusal: "tokenizer".  options: as its `from_pretrained` takes them.

    Raises:
        ModelError: it cannot be read.
    """
    local = Path(place).is_dir() or plugins.stored_in() is not None
    try:
        with quietly():
            return kind.from_pretrained(str(place), trust_remote_code=False, local_files_only=local, **options)
    except Exception as error:  # what reads so many files shares no base class below Exception
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise ModelError(
            f"no {what} can be read from {place}: {reason}. Give a folder that save_pretrained wrote, or the id of a "
            "model, which is fetched once while online"
        ) from error


def read_model(kind: Any, place: str | Path, *, pretrained: bool = True) -> tuple[Any, frozenset[str]]:
    """A model of a class of transformers, float32, in evaluation mode, and the names of what it holds no weights for.

    pretrained: False reads the configuration alone, draws all weights, and lacks none.

    Raises:
        ModelError: as `read`.
    """
    import torch
    from transformers import AutoConfig

    if not pretrained:
        config = read(getattr(kind, "config_class", None) or AutoConfig, place, "configuration")
        return drawn(kind, config), frozenset()
    model, report = read(kind, place, "model", dtype=torch.float32, output_loading_info=True)
    return model.eval(), frozenset(report["missing_keys"])


def whole_model(kind: Any, place: str | Path, *, pretrained: bool = True) -> Any:
    """The same, of which nothing that counts may be missing.

    Raises:
        ModelError: as `read`; or weights are missing.
    """
    model, lacking = read_model(kind, place, pretrained=pretrained)
    names = (name for name in lacking if not name.rpartition(".")[2].startswith(UNUSED))
    check_held(names, place, f"give all of a model that transformers' {kind.__name__} reads")
    return model


def drawn(kind: Any, config: Any) -> Any:
    """A model of a configuration, its weights at random, float32, in evaluation mode."""
    import torch

    draw = getattr(kind, "_from_config", None) or kind.from_config  # the Auto classes have the latter
    return draw(config, dtype=torch.float32).eval()


def check_held(lacking: Iterable[str], place: str | Path, remedy: str) -> None:
    """Refuse a model that is in part as it was drawn.

    Raises:
        ModelError: there are names of parameters without weights.
    """
    if names := sorted(lacking):
        count = f"{len(names)} parameter{'s' * (len(names) > 1)}"
        raise ModelError(
            f"{place} holds no weights for {count} that would be used ({', '.join(names[:3])}), so its vectors would "
            f"be others every time it is loaded; {remedy}"
        )
