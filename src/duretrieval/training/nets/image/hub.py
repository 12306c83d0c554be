"""Networks and preprocessing from a model of transformers, by hub id or folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import nn

from duretrieval.encode.hub.preprocessing import Preprocessing, processor_of
from duretrieval.encode.hub.pretrained import check_held, drawn, read_model
from duretrieval.errors import ConfigError, ModelError
from duretrieval.training.nets.image.preprocessing import of_processor
from duretrieval.training.nets.image.tracing import evaluating


def load(model: str, pretrained: bool = True, kind: str = "AutoModel") -> tuple[nn.Module, frozenset[str]]:
    """The network in float32, and the names of its parameters that the model holds no weights for.

    kind: the class of transformers that reads it.  pretrained: False draws all weights and lacks none.

    Raises:
        ModelError: it cannot be loaded, or reads something else than pixels.
    """
    import transformers

    network, lacking = read_model(getattr(transformers, kind), model, pretrained=pretrained)
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
    try:
        built = transformers.AutoConfig.for_model(settings.pop("model_type"), **settings)
        network = drawn(getattr(transformers, kind), built)
    except (ValueError, TypeError, RuntimeError, KeyError, ZeroDivisionError) as error:
        raise ConfigError(f"no network can be drawn from this config: {error}") from error
    return _reads_pixels(network, f"a {config['model_type']}")


def own_preprocessing(model: str) -> Preprocessing:
    """What a model's preprocessor_config.json says.

    Raises:
        ModelError: the model has none that can be read.
        ConfigError: it does more than can be put into a graph.
    """
    return of_processor(processor_of(model), model)


def check_weights(network: nn.Module, lacking: Collection[str], model: str) -> None:
    """Refuse a network that is in part as it was drawn.

    Raises:
        ModelError: some of its parameters are among those that the model held no weights for.
    """
    used = (name for name, _ in network.named_parameters() if name in lacking)
    check_held(used, model, "choose another pooling or another model, or pretrained = False")


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


def _reads_pixels(network: Any, name: str) -> nn.Module:
    if network.main_input_name != "pixel_values":
        raise ModelError(f"{name} reads {network.main_input_name}, not pixels; it is no encoder of pictures or films")
    checked: nn.Module = network.train()
    return checked
