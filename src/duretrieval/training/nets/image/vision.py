"""Picture encoders of transformers: ConvNeXt, ResNet, ViT, DINOv2, EfficientNet, Swin and what else reads pixels."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn

from duretrieval.encode.hub.preprocessing import Fit, Preprocessing
from duretrieval.errors import ConfigError
from duretrieval.training.nets.image.hub import check_weights, draw, load, own_preprocessing, width
from duretrieval.training.nets.image.net import PictureNet

Pooling = Literal["pooler", "cls", "mean"]
POOLINGS = ("pooler", "cls", "mean")


def vision(
    model: str | None = None,
    *,
    pooling: Pooling | None = None,
    side: int | None = None,
    fit: Fit | None = None,
    pretrained: bool = True,
    config: Mapping[str, Any] | None = None,
) -> PictureNet:
    """A picture encoder by hub id or folder, without its classifier.

    pooling: "pooler" is the architecture's own summary (a mean over places where it is convolutional), "cls" the first
    token, "mean" the mean of the patches' tokens.  None is "pooler", or "cls" where the pooler is a dense layer (ViT,
    DeiT), which classifiers are trained without.
    side: None reads pictures as the model's own preprocessing does, its crop included; a number reads whole squares of
    that side.  fit: None is what the preprocessing does with what is not square.
    pretrained: False keeps the architecture and draws the weights.
    config: an architecture in place of a model, its weights drawn: {"model_type": "convnext", "depths": [...], ...};
    pictures are then normalised with the mean and deviation of ImageNet.

    Raises:
        ConfigError: a setting cannot be used, or the model's preprocessing cannot be put into a graph.
        ModelError: the model cannot be loaded, reads something else than pixels, or lacks weights.
    """
    if pooling is not None and pooling not in POOLINGS:
        raise ConfigError(f"pooling is {pooling!r}; there are {', '.join(POOLINGS)}")
    if model is not None and config is None:
        network, lacking = load(model, pretrained)
        preprocessing = own_preprocessing(model).at(side, fit)
    elif config is not None and model is None:
        network, lacking = draw(config), frozenset()
        preprocessing = Preprocessing.of(_image_side(network.config)).at(side, fit)
    else:
        raise ConfigError("give either model, a hub id or a folder, or config, an architecture to draw weights for")
    backbone = Backbone(network, pooling or _own_pooling(network), preprocessing.crop)
    check_weights(backbone.network, lacking, str(model))
    return PictureNet(backbone, preprocessing, dim=width(backbone, (1, 3, preprocessing.crop, preprocessing.crop)))


class Backbone(nn.Module):
    """A network of transformers from normalised pixels to one row: (n, 3, side, side) -> (n, dim)."""

    def __init__(self, network: Any, pooling: Pooling, side: int) -> None:
        super().__init__()
        pooler = getattr(network, "pooler", None)
        if pooling != "pooler" and isinstance(pooler, nn.Module) and any(True for _ in pooler.parameters()):
            network.pooler = None  # weights that would never be used
        self.network = network
        self.pooling = pooling
        self.specials = _special_tokens(network)
        if pooling == "cls" and not self.specials:
            raise ConfigError(f"{network.config.model_type} has no class token; use pooling = 'pooler' or 'mean'")
        takes = inspect.signature(network.forward).parameters
        resized = side != _image_side(network.config, default=side)
        self.options = {"interpolate_pos_encoding": True} if resized and "interpolate_pos_encoding" in takes else {}

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) -> (n, dim)."""
        out = self.network(pixel_values=pixels, **self.options)
        if self.pooling == "pooler":
            pooled: Tensor | None = getattr(out, "pooler_output", None)
            if pooled is None:
                raise ConfigError(f"{self.network.config.model_type} has no pooler; use pooling = 'cls' or 'mean'")
            return pooled.flatten(1)
        tokens: Tensor = out.last_hidden_state  # (n, tokens, dim); of a convolutional network (n, dim, height, width)
        if tokens.ndim == 4:
            return tokens.mean(dim=(2, 3))
        return tokens[:, 0] if self.pooling == "cls" else tokens[:, self.specials :].mean(dim=1)

    has_cells = True

    def cells(self, pixels: Tensor) -> Tensor:
        """Patches, or places of the last feature map: (n, 3, side, side) -> (n, t, dim)."""
        tokens: Tensor = self.network(pixel_values=pixels, **self.options).last_hidden_state
        return tokens.flatten(2).transpose(1, 2) if tokens.ndim == 4 else tokens[:, self.specials :]


def _own_pooling(network: Any) -> Pooling:
    pooler = getattr(network, "pooler", None)
    dense = isinstance(pooler, nn.Module) and any(isinstance(part, nn.Linear) for part in pooler.modules())
    return "cls" if dense else "pooler"


def _special_tokens(network: nn.Module) -> int:
    """How many tokens come before the patches': class, distillation and register tokens."""
    total = 0
    for name, parameter in network.named_parameters():
        kind = name.rpartition(".")[2]
        if kind in {"cls_token", "class_embedding", "distillation_token"}:
            total += 1
        elif kind == "register_tokens":
            total += parameter.shape[1]
    return total


def _image_side(config: Any, default: int = 224) -> int:
    side = getattr(config, "image_size", None) or default
    return int(side if isinstance(side, int) else side[0])
