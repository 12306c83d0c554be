"""Pictures and films for a joint model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from duretrieval.encode.frames import films_of
from duretrieval.encode.hub.preprocessing import Preprocessing, preprocessing_by, processor_of
from duretrieval.types import Modality, Part


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
        """pixels (b, t, side, side, 3) uint8, black after the last frame of each; frames (b,) int64.

        Raises:
            ShapeError: a part is not pixels of the model's side, or a film has no frame.
        """
        return dict(zip(("pixels", "frames"), films_of(parts, self.preprocessing.side), strict=True))

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


def image_tower(folder: Path, dim: int) -> ImageTower:
    """As the image processor of a model's folder says.

    Raises:
        ModelError: there is none, or it makes something else than squares.
    """
    return ImageTower(dim, preprocessing_by(processor_of(folder), folder))
