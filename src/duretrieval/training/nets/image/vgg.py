"""VGG: plain stacks of 3x3 convolutions.

Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", ICLR, table 1:
columns A (11 layers of weights), B (13), D (16) and E (19).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from duretrieval.encode.hub.preprocessing import Fit, Preprocessing
from duretrieval.errors import ConfigError
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.weights import check_choice, load_weights

CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Layers of weights -> convolutions in each of the five stages; three dense layers make up the rest."""
WIDTHS = (64, 128, 256, 512, 512)
PLACES = 7
"""Side of the map that the dense layers read."""

Features = Literal["penultimate", "pooled"]


def vgg(
    layers: int = 16,
    *,
    batch_norm: bool = False,
    features: Features = "penultimate",
    weights: Path | str | None = None,
    side: int | None = None,
    fit: Fit | None = None,
    widths: Sequence[int] = WIDTHS,
    hidden: int = 4096,
) -> PictureNet:
    """VGG-11, 13, 16 or 19 without its classifier.

    features: "penultimate" is the second dense layer after its ReLU, 4096-d; "pooled" the mean over places of the last
    convolutions, 512-d, without the dense layers that are nine tenths of the weights.
    weights: a file in torchvision's format (features.0.weight ... classifier.3.bias); None draws them (He et al. 2015).
    side: None reads squares of 256 and looks at the middle 224, as the published weights were tested; a number reads
    whole squares of that side.

    Raises:
        ConfigError: a setting is none of those there are, or the side is too small.
        ModelError: the file of weights cannot be read, or is of another VGG.
    """
    check_choice("layers", layers, tuple(CONVOLUTIONS))
    check_choice("features", features, ("penultimate", "pooled"))
    preprocessing = Preprocessing.of(256, crop=224).at(side, fit)
    if len(widths) != 5 or preprocessing.crop < 32:
        raise ConfigError(
            f"VGG has five stages, each of which halves the picture: widths {tuple(widths)} and side "
            f"{preprocessing.crop} do not fit; give five widths and a side of 32 or more"
        )
    backbone = Vgg(CONVOLUTIONS[layers], widths, hidden if features == "penultimate" else None, batch_norm)
    if weights is not None:
        load_weights(backbone, weights, dropped=("classifier.6.",) if features == "penultimate" else ("classifier.",))
    return PictureNet(backbone, preprocessing, dim=hidden if features == "penultimate" else widths[-1])


class Vgg(nn.Module):
    """(n, 3, side, side) -> (n, hidden), or (n, widths[-1]) where hidden is None; names as in torchvision's files."""

    def __init__(self, stages: Sequence[int], widths: Sequence[int], hidden: int | None, batch_norm: bool) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels = 3
        for depth, wide in zip(stages, widths, strict=True):
            for _ in range(depth):
                norm = [nn.BatchNorm2d(wide)] if batch_norm else []
                parts += [nn.Conv2d(channels, wide, 3, padding=1), *norm, nn.ReLU(inplace=True)]
                channels = wide
            parts.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*parts)
        self.classifier = None if hidden is None else _dense(channels * PLACES * PLACES, hidden)
        for part in self.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, side, side) -> (n, dim)."""
        maps: Tensor = self.features(pixels)
        if self.classifier is None:
            return maps.mean(dim=(2, 3))
        row: Tensor = self.classifier(average_to(maps, PLACES).flatten(1))
        return row

    @property
    def has_cells(self) -> bool:
        """Whether a place of the last feature map is as wide as a row: not behind dense layers."""
        return self.classifier is None

    def cells(self, pixels: Tensor) -> Tensor:
        """Places of the last feature map: (n, 3, side, side) -> (n, t, dim)."""
        maps: Tensor = self.features(pixels)
        return maps.flatten(2).transpose(1, 2)


def _dense(width: int, hidden: int) -> nn.Sequential:
    """The first two dense layers; the third, the classifier, is what is left out."""
    first, second = nn.Linear(width, hidden), nn.Linear(hidden, hidden)
    return nn.Sequential(first, nn.ReLU(), nn.Dropout(), second, nn.ReLU())


def average_to(maps: Tensor, places: int) -> Tensor:
    """Means over `places` x `places` overlapping cells: (n, c, h, w) -> (n, c, places, places).

    Cell i of a side of s covers floor(i s / places) up to ceil((i + 1) s / places), as in PyTorch's adaptive pooling,
    which has no counterpart in ONNX unless s is a multiple of `places`.  Where s is `places`, the maps themselves.
    """
    high, wide = int(maps.shape[2]), int(maps.shape[3])
    if high == wide == places:
        return maps
    rows, columns = _cells(high, places).to(maps), _cells(wide, places).to(maps)
    return rows @ maps @ columns.T


def _cells(s: int, places: int) -> Tensor:
    """Each cell's mean as a row of weights: (places, s)."""
    weights = torch.zeros(places, s)
    for i in range(places):
        start, stop = i * s // places, -(-(i + 1) * s // places)
        weights[i, start:stop] = 1 / (stop - start)
    return weights
