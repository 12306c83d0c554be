"""From pixels to what a backbone was trained on, as operations of the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.encode.hub.preprocessing import Preprocessing, preprocessing_by
from duretrieval.errors import ConfigError

CLOSE = 1e-4
"""Largest difference from the model's own image processor, in units of the values that the backbone reads."""


def of_processor(processor: Any, name: str) -> Preprocessing:
    """What a transformers image processor does, once pictures are squares of the side it would resize them to.

    Its resizing becomes the engine's, before the graph; its cropping, rescaling and normalising are done in the graph,
    and compared with the processor's on one picture.

    Raises:
        ModelError: it does not make squares.
        ConfigError: it does more than resize, crop to the middle, rescale and normalise.
    """
    found = preprocessing_by(processor, name, oblong=True)
    picture = np.random.default_rng(0).integers(0, 256, (found.side, found.side, 3), dtype=np.uint8)
    theirs = np.asarray(processor([picture], return_tensors="np")["pixel_values"])
    ours = found(torch.from_numpy(picture[None])).numpy()
    if theirs.size != ours.size or np.abs(theirs.reshape(ours.shape) - ours).max() > CLOSE * max(1, np.abs(ours).max()):
        raise ConfigError(
            f"{type(processor).__name__} of {name} does more than resize, crop to the middle, rescale and normalise, "
            "which is all that can be put into a graph here; use another model"
        )
    return found


class Look(nn.Module):
    """Pixels (n, side, side, 3) uint8 -> (n, 3, crop, crop) float32, as a `Preprocessing` says."""

    scale: Tensor
    shift: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.middle = preprocessing.middle
        self.register_buffer("scale", torch.tensor(preprocessing.scale).reshape(3, 1, 1), persistent=False)
        self.register_buffer("shift", torch.tensor(preprocessing.shift).reshape(3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, side, side, 3) uint8 -> (n, 3, crop, crop)."""
        planes = pixels[:, self.middle, self.middle].permute(0, 3, 1, 2).to(self.scale.dtype)
        return planes * self.scale + self.shift
