"""Where things stand in a picture: cut out, mirrored, turned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from duretrieval.training.augment.frames import each_frame, pixels_of
from duretrieval.training.augment.settings import within
from duretrieval.types import Part

WHITE = (255, 255, 255)
TRIES = 10


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of the picture, scaled to its size.

    After Szegedy et al. 2015, "Going deeper with convolutions", section 6: its area is a share of the
    picture's from `share` to 1, its width to its height from 3:4 to 4:3.
    """

    share: float = 0.6

    def __post_init__(self) -> None:
        within("crop.share", self.share, 0.01, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, cut."""
        frames = pixels_of(part)
        if frames is None:
            return part
        height, width = frames.shape[1:3]
        box = self._box(width, height, rng)
        return each_frame(part, lambda image: image.resize((width, height), Image.Resampling.BICUBIC, box=box))

    def _box(self, width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
        for _ in range(TRIES):
            area = width * height * rng.uniform(self.share, 1)
            aspect = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
            w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
            if w <= width and h <= height:
                left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
                return (left, top, left + w, top + h)
        return (0, 0, width, height)


@dataclass(frozen=True, slots=True)
class Flip:
    """Left and right exchanged, with a chance."""

    chance: float = 0.5

    def __post_init__(self) -> None:
        within("flip.chance", self.chance, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, or its mirror image."""
        if rng.random() >= self.chance:
            return part
        return each_frame(part, lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turned about its middle by up to `degrees` either way, on white."""

    degrees: float = 15

    def __post_init__(self) -> None:
        within("rotate.degrees", self.degrees, 0, 180)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, turned."""
        angle = float(rng.uniform(-self.degrees, self.degrees))
        return each_frame(part, lambda image: image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=WHITE))
