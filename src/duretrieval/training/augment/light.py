"""How a picture is lit and how sharp it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from duretrieval.training.augment.frames import each_frame, pixels_of, with_frames
from duretrieval.training.augment.settings import within
from duretrieval.types import Part


@dataclass(frozen=True, slots=True)
class Colour:
    """Brightness, contrast and saturation times 1 - strength to 1 + strength, hue by up to a quarter of that.

    After Chen et al. 2020, "A simple framework for contrastive learning of visual representations", appendix A.  Unlike
    theirs, in one order.  strength 0.4 turns hues by up to a tenth of the circle.
    """

    strength: float = 0.4

    def __post_init__(self) -> None:
        within("colour.strength", self.strength, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part in another light."""
        factors = rng.uniform(1 - self.strength, 1 + self.strength, size=3)
        turn = round(float(rng.uniform(-1, 1)) * self.strength / 4 * 256)

        def change(image: Image.Image) -> Image.Image:
            for enhance, factor in zip(
                (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), factors, strict=True
            ):
                image = enhance(image).enhance(float(factor))
            return _turned(image, turn)

        return each_frame(part, change)


@dataclass(frozen=True, slots=True)
class Grey:
    """Without colour, with a chance."""

    chance: float = 0.2

    def __post_init__(self) -> None:
        within("grey.chance", self.chance, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, or the part in grey."""
        if rng.random() >= self.chance:
            return part
        return each_frame(part, lambda image: image.convert("L").convert("RGB"))


@dataclass(frozen=True, slots=True)
class Blur:
    """Out of focus, with a chance: a Gaussian whose deviation is up to `most` of the picture's width."""

    chance: float = 0.5
    most: float = 0.01

    def __post_init__(self) -> None:
        within("blur.chance", self.chance, 0, 1)
        within("blur.most", self.most, 0, 0.5)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part, or the part blurred."""
        if rng.random() >= self.chance:
            return part
        share = float(rng.uniform(0, self.most))
        return each_frame(part, lambda image: image.filter(ImageFilter.GaussianBlur(share * image.width)))


@dataclass(frozen=True, slots=True)
class Noise:
    """Gaussian noise with a deviation of up to `most` of full scale, other in every frame."""

    most: float = 0.05

    def __post_init__(self) -> None:
        within("noise.most", self.most, 0, 1)

    def __call__(self, part: Part, rng: np.random.Generator) -> Part:
        """The part with noise."""
        frames = pixels_of(part)
        if frames is None:
            return part
        deviation = 255 * float(rng.uniform(0, self.most))
        noisy = frames + deviation * rng.standard_normal(frames.shape, dtype=np.float32)
        return with_frames(part, np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _turned(image: Image.Image, turn: int) -> Image.Image:
    """Hues moved by `turn` 256ths of the circle."""
    if turn == 0:
        return image
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point([(level + turn) & 255 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
