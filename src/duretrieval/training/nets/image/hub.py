"""Networks and preprocessing from a model of transformers, by hub id or folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from duretrieval.encode.hub.source import reading
from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.image.preprocessing import Preprocessing, of_processor
from duretrieval.training.nets.image.tracing import evaluating


def load(model: str, pretrained: bool = True, kind: str = "AutoModel") -> tuple[nn.Module, frozenset[str]]:
    """The network in float32, and the names of its parameters that the model holds no weights for.

    kind: the class of transformers that reads it.  pretrained: False draws all weights and lacks none.

    Raises:
        ModelError: it cannot be loaded, or reads something else than pixels.
    """
    import transformers

    reader = getattr(transformers, kind)
    try:
        if pretrained:
            with _quietly():
                network, report = reader.from_pretrained(
                    model, dtype=torch.float32, output_loading_info=True, **reading(model)
                )
            lacking = frozenset(report["missing_keys"])
        else:
            config = transformers.AutoConfig.from_pretrained(model, **reading(model))
            network, lacking = _drawn(reader, config), frozenset()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{model} cannot be loaded as a model of transformers: {error}") from error
    return _reads_pixels(network, model), lacking


def draw(config: Mapping[str, Any], kind: str = "AutoModel") -> nn.Module:
    """A network with drawn weights: {"model_type": "vit", "hidden_size": 192, ...}.

    Raises:
        ConfigError: there is no such architecture, it cannot be built so, or reads something else than pixels.
    """
    import transformers

    settings = dict(config)
    if "model_type" not in settings:
        raise ConfigError("config has no model_type; give one of transformers, such as 'convnext' or 'vit'")
    reader = getattr(transformers, kind)
    try:
        built = transformers.AutoConfig.for_model(settings.pop("model_type"), **settings)
        network = _drawn(reader, built)
    except (ValueError, TypeError, RuntimeError, KeyError, ZeroDivisionError) as error:
        raise ConfigError(f"no network can be drawn from this config: {error}") from error
    return _reads_pixels(network, f"a {config['model_type']}")


def own_preprocessing(model: str) -> Preprocessing:
    """What a model's preprocessor_config.json says.

    Raises:
        ModelError: the model has none that can be read.
        ConfigError: it does more than can be put into a graph.
    """
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(model, **reading(model))
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{model} has no preprocessing that can be read from its files: {reason}") from error
    return of_processor(processor, model)


def check_weights(network: nn.Module, lacking: Collection[str], model: str) -> None:
    """Refuse a network that is in part as it was drawn.

    Raises:
        ModelError: some of its parameters are among those that the model held no weights for.
    """
    drawn = sorted(name for name, _ in network.named_parameters() if name in lacking)
    if drawn:
        raise ModelError(
            f"{model} holds no weights for {len(drawn)} parameters that would be used ({', '.join(drawn[:3])}); "
            "choose another pooling or another model, or pretrained = False"
        )


def width(backbone: nn.Module, shape: tuple[int, ...]) -> int:
    """Length of a backbone's rows, found by looking at one input of zeros.

    Raises:
        ConfigError: it cannot look at an input of that shape.
    """
    try:
        with evaluating(backbone):
            row = backbone(torch.zeros(shape))
    except ConfigError:
        raise
    except (ValueError, RuntimeError, AttributeError, TypeError) as error:
        raise ConfigError(f"this network cannot make a row of an input of shape {shape}: {error}") from error
    return int(row.shape[1])


@contextmanager
def _quietly() -> Iterator[None]:
    """Without a table of what a classifier's file holds beyond its features; `check_weights` says what is missing."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _drawn(reader: Any, config: Any) -> Any:
    """A network of a config: the Auto classes say it in public, single architectures in private."""
    draw = reader.from_config if hasattr(reader, "from_config") else reader._from_config
    return draw(config, dtype=torch.float32)


def _reads_pixels(network: Any, name: str) -> nn.Module:
    if network.main_input_name != "pixel_values":
        raise ModelError(f"{name} reads {network.main_input_name}, not pixels; it is no encoder of pictures or films")
    checked: nn.Module = network.train()
    return checked
