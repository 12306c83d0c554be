"""From pixels to what a backbone was trained on, as operations of the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError

Fit = Literal["crop", "pad", "stretch"]
Channels = tuple[float, float, float]

IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)
CLOSE = 1e-4
"""Largest difference from the model's own image processor, in units of the values that the backbone reads."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Squares of `side` pixels, of which the middle `crop` is looked at, as pixels * scale + shift per channel.

    fit: how what is not square becomes so, which is `Reading.image_fit` and the engine's work.
    """

    side: int
    crop: int
    scale: Channels
    shift: Channels
    fit: Fit = "crop"

    @classmethod
    def of(
        cls, side: int, *, crop: int | None = None, mean: Channels = IMAGENET_MEAN, std: Channels = IMAGENET_STD
    ) -> Preprocessing:
        """(pixels / 255 - mean) / std."""
        scale = cast(Channels, tuple(1 / 255 / s for s in std))
        shift = cast(Channels, tuple(-m / s for m, s in zip(mean, std, strict=True)))
        return cls(side, crop or side, scale, shift)

    def at(self, side: int | None = None, fit: Fit | None = None) -> Preprocessing:
        """The same over whole squares of another side, nothing cropped; None leaves what is.

        Raises:
            ConfigError: there is no such side or fit.
        """
        if side is not None and side < 1:
            raise ConfigError(f"side is {side}; give the side of a square in pixels, or None for the model's own")
        if fit not in (None, "crop", "pad", "stretch"):
            raise ConfigError(f"fit is {fit!r}; there are crop, pad, stretch")
        return Preprocessing(
            side or self.side, side or self.crop, scale=self.scale, shift=self.shift, fit=fit or self.fit
        )


def of_processor(processor: Any, name: str) -> Preprocessing:
    """What a transformers image processor does, once pictures are squares of the side it would resize them to.

    Its resizing becomes the engine's, before the graph; its cropping, rescaling and normalising are done in the graph,
    and compared with the processor's on one picture.

    Raises:
        ConfigError: it does more than resize, crop to the middle, rescale and normalise.
    """
    side, crop, fit = _sides(processor, name)
    std = np.asarray(processor.image_std, float) if processor.do_normalize else np.ones(3)
    mean = np.asarray(processor.image_mean, float) if processor.do_normalize else np.zeros(3)
    factor = processor.rescale_factor if processor.do_rescale else 1.0
    offset = -1.0 if getattr(processor, "rescale_offset", False) else 0.0
    again = np.asarray(processor.image_std, float) if getattr(processor, "include_top", False) else np.ones(3)
    scale, shift = factor / std / again, (offset - mean) / std / again
    found = Preprocessing(side, crop, cast(Channels, tuple(scale.tolist())), cast(Channels, tuple(shift.tolist())), fit)
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    theirs = np.asarray(processor([picture], return_tensors="np")["pixel_values"])
    ours = Look(found)(torch.from_numpy(picture[None])).numpy()
    if theirs.size != ours.size or np.abs(theirs.reshape(ours.shape) - ours).max() > CLOSE * max(1, np.abs(ours).max()):
        raise ConfigError(
            f"{type(processor).__name__} of {name} does more than resize, crop to the middle, rescale and normalise, "
            "which is all that can be put into a graph here; use another model"
        )
    return found


def _sides(processor: Any, name: str) -> tuple[int, int, Fit]:
    """Side that pictures are resized to, side of what is left of them, and how they become square."""
    size, cropped = dict(processor.size), dict(getattr(processor, "crop_size", None) or {})
    edge, square = size.get("shortest_edge"), size.get("height")
    if not edge and (not square or square != size.get("width")):
        raise ConfigError(f"{name} resizes pictures to {size}; only squares and a shortest edge can be used")
    side, fit = (int(edge), "crop") if edge else (int(square or 0), "stretch")
    crop = side
    if getattr(processor, "crop_pct", None) and edge:  # ConvNeXt and ResNet: only below 384 is anything cropped
        side, fit = (int(side / processor.crop_pct), "crop") if side < 384 else (side, "stretch")
    if getattr(processor, "do_center_crop", False):
        crop = int(cropped["height"])
    return side, crop, cast(Fit, fit)


class Look(nn.Module):
    """Pixels (n, side, side, 3) uint8 -> (n, 3, crop, crop) float32, as a `Preprocessing` says."""

    scale: Tensor
    shift: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.start = (preprocessing.side - preprocessing.crop) // 2
        self.stop = self.start + preprocessing.crop
        self.register_buffer("scale", torch.tensor(preprocessing.scale).reshape(3, 1, 1), persistent=False)
        self.register_buffer("shift", torch.tensor(preprocessing.shift).reshape(3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, side, side, 3) uint8 -> (n, 3, crop, crop)."""
        middle = slice(self.start, self.stop)
        planes = pixels[:, middle, middle].permute(0, 3, 1, 2).to(self.scale.dtype)
        return planes * self.scale + self.shift
