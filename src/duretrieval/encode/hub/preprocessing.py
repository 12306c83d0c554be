"""What a model's image processor does, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from duretrieval.encode.hub.pretrained import read
from duretrieval.errors import ConfigError, ModelError

Fit = Literal["crop", "pad", "stretch"]
Channels = tuple[float, float, float]

IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)
CROPPED_BELOW = 384
"""ConvNeXt's and ResNet's processors crop by `crop_pct` only for sides below."""


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
        return replace(self, side=side or self.side, crop=side or self.crop, fit=fit or self.fit)

    @property
    def middle(self) -> slice:
        """Of rows and of columns: what is looked at."""
        start = (self.side - self.crop) // 2
        return slice(start, start + self.crop)

    def __call__(self, pixels: Any) -> Any:
        """(b, side, side, 3) uint8 -> (b, 3, crop, crop) float32, as tensors."""
        planes = pixels[:, self.middle, self.middle].permute(0, 3, 1, 2).float()
        scale, shift = (planes.new_tensor(values)[:, None, None] for values in (self.scale, self.shift))
        return planes * scale + shift


def processor_of(place: str | Path) -> Any:
    """The image processor of transformers for a model, by folder or hub id.

    Raises:
        ModelError: there is none that can be read.
    """
    from transformers import AutoImageProcessor

    return read(AutoImageProcessor, place, "image processor")


def preprocessing_by(processor: Any, where: str | Path, *, oblong: bool = False) -> Preprocessing:
    """What an image processor of transformers does, as far as squares of the right side are concerned.

    where: what to call its place.  oblong: one that leaves pictures oblong will do, of which the middle is taken.

    Raises:
        ModelError: it makes something else than squares.
    """
    size = dict(getattr(processor, "size", None) or {})
    cut = dict(processor.crop_size or {}) if getattr(processor, "do_center_crop", False) else None
    square, edge, share = _square(size), size.get("shortest_edge"), getattr(processor, "crop_pct", None)
    crop = _square(cut) if cut is not None else square or (edge if oblong or share else None)
    if cut and crop and not processor.do_resize:
        return numbers_of(processor, crop, crop, "crop")
    side = int(edge / share) if share and edge and edge < CROPPED_BELOW else square or edge
    if not side or not crop or side < crop:
        raise ModelError(
            f"the image processor of {where} does not make squares of one size, which are needed: it resizes pictures "
            f"to {size} and cuts out {cut or 'nothing'}"
        )
    stretched = square or (share and side == crop)
    return numbers_of(processor, int(side), int(crop), "stretch" if stretched else "crop")


def numbers_of(processor: Any, side: int, crop: int, fit: Fit) -> Preprocessing:
    """Scale and shift of a processor, with side, crop and fit."""
    mean, std = (processor.image_mean, processor.image_std) if processor.do_normalize else ([0.0] * 3, [1.0] * 3)
    factor = processor.rescale_factor if processor.do_rescale else 1.0
    offset = -1.0 if getattr(processor, "rescale_offset", False) else 0.0
    twice = np.asarray(std, float) if getattr(processor, "include_top", False) else np.ones(3)
    by = np.asarray(std, float) * twice
    scale, shift = factor / by, (offset - np.asarray(mean, float)) / by
    return Preprocessing(side, crop, cast(Channels, tuple(scale.tolist())), cast(Channels, tuple(shift.tolist())), fit)


def _square(size: Mapping[str, int | None]) -> int | None:
    """The side of a size that is a square."""
    high = size.get("height")
    return high if high and high == size.get("width") else None
