"""Pictures and films for a joint model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from duretrieval.encode.hub import source
from duretrieval.errors import ModelError, ShapeError
from duretrieval.types import Modality, Part, Pixels

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a model's image processor does: squares of `side`, their middle `crop`, (pixels * scale - mean) / std."""

    side: int
    crop: int
    fit: Literal["crop", "pad", "stretch"]
    scale: float
    mean: Triple
    std: Triple

    def __call__(self, pixels: Any) -> Any:
        """(b, side, side, 3) uint8 -> (b, 3, crop, crop) float32, as tensors."""
        start = (self.side - self.crop) // 2
        middle = slice(start, start + self.crop)
        float_ = pixels[:, middle, middle].permute(0, 3, 1, 2).float()
        mean, std = (_channels(float_, values) for values in (self.mean, self.std))
        return (float_ * self.scale - mean) / std


@dataclass(frozen=True, slots=True, eq=False)
class ImageTower:
    """Squares of one side; a film is the mean of its frames' unit rows (mean pooling of CLIP4Clip, Luo et al. 2022)."""

    dim: int
    preprocessing: Preprocessing

    modalities = frozenset({Modality.IMAGE, Modality.VIDEO})

    @property
    def reading(self) -> Mapping[str, Any]:
        """Side and fit."""
        return {"image_side": self.preprocessing.side, "image_fit": self.preprocessing.fit}

    def arrays(self, parts: Sequence[Part]) -> dict[str, npt.NDArray[Any]]:
        """pixels (b, t, side, side, 3) uint8, zeros after the last frame of each; frames (b,) int64.

        Raises:
            ShapeError: a part is not pixels of the model's side, or a film has no frame.
        """
        films = [frames_of(part, self.preprocessing.side) for part in parts]
        side = self.preprocessing.side
        pixels = np.zeros((len(films), max(map(len, films), default=1), side, side, 3), np.uint8)
        for row, film in zip(pixels, films, strict=True):
            row[: len(film)] = film
        return {"pixels": pixels, "frames": np.array([len(film) for film in films], np.int64)}

    def rows(self, model: Any, *, pixels: Any, frames: Any) -> Any:
        """(b, dim): means of unit rows over the frames that are there."""
        b, t = pixels.shape[:2]
        each = self.features(model, pixels.flatten(0, 1))
        each = (each / each.norm(dim=-1, keepdim=True)).unflatten(0, (b, t))
        there = (frames.new_ones(t).cumsum(0) <= frames[:, None]).float()
        return (each * there[:, :, None]).sum(1) / frames[:, None]

    def features(self, model: Any, squares: Any) -> Any:
        """(b, side, side, 3) uint8 -> (b, dim)."""
        return model.get_image_features(pixel_values=self.preprocessing(squares)).pooler_output


def preprocessing_of(folder: Path) -> Preprocessing:
    """What the image processor of a model's folder does, as far as squares of the right side are concerned.

    Raises:
        ModelError: there is none, or it makes something else than squares.
    """
    return preprocessing_by(processor_of(folder), str(folder))


def preprocessing_by(processor: Any, where: str) -> Preprocessing:
    """The same, of an image processor; where: what to call its place.

    Raises:
        ModelError: it makes something else than squares.
    """
    size, cut = processor.size, processor.crop_size if processor.do_center_crop else None
    side = _square(size)
    if cut is None and side:
        return numbers_of(processor, side, side, "stretch")
    crop = _square(cut)
    if crop and not processor.do_resize:
        return numbers_of(processor, crop, crop, "crop")
    before = side or getattr(size, "shortest_edge", None)
    if not crop or not before or before < crop:
        raise ModelError(f"the image processor of {where} does not make squares of one size, which are needed")
    return numbers_of(processor, int(before), crop, "stretch" if side else "crop")


def _square(size: Any) -> int | None:
    """The side of a size that is a square."""
    high = getattr(size, "height", None)
    return int(high) if high and high == size.width else None


def processor_of(folder: Path) -> Any:
    """The image processor of transformers for a model's folder."""
    from transformers import AutoImageProcessor

    try:
        return AutoImageProcessor.from_pretrained(folder, **source.reading(folder))
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"no image processor can be read from {folder}: {str(error).splitlines()[0]}") from error


def numbers_of(processor: Any, side: int, crop: int, fit: Any) -> Preprocessing:
    """Scale, mean and standard deviation of a processor, with side, crop and fit."""
    scale = processor.rescale_factor if processor.do_rescale else 1.0
    means, stds = (processor.image_mean, processor.image_std) if processor.do_normalize else ((0, 0, 0), (1, 1, 1))
    return Preprocessing(side, crop, fit, float(scale), _triple(means), _triple(stds))


def _triple(values: Sequence[float]) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _channels(like: Any, values: Triple) -> Any:
    return like.new_tensor(values)[:, None, None]


def frames_of(part: Part, side: int) -> Pixels:
    """The part as (t, side, side, 3); a picture is a film of one frame.

    Raises:
        ShapeError: it is not pixels of this side, or a film has no frame.
    """
    content, square = part.content, (side, side, 3)
    if isinstance(content, np.ndarray) and content.dtype == np.uint8:
        if part.modality is Modality.IMAGE and content.shape == square:
            return content[None]
        if part.modality is Modality.VIDEO and content.shape[1:] == square and len(content):
            return content
    got = f"{content.shape} {content.dtype}" if isinstance(content, np.ndarray) else type(content).__name__
    wanted = f"(t, {side}, {side}, 3)" if part.modality is Modality.VIDEO else str(square)
    raise ShapeError(f"expected RGB pixels of shape {wanted} uint8; got {got}. Fit it to the model's reading first.")
