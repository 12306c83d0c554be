"""A film encoder that trains: a backbone between clips and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.encode.frames import evenly, frames_of
from duretrieval.encode.hub.preprocessing import Preprocessing
from duretrieval.errors import ConfigError
from duretrieval.training.nets.image.preprocessing import Look
from duretrieval.training.nets.image.tracing import positions_fixed
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part


class FilmNet(nn.Module):
    """Rows of films, and of pictures as films that stand still.

    backbone: (b, frames, 3, crop, crop) float32 -> (b, dim).  A film of another length is taken as
    `encode.frames.evenly` says, in training and in the engine's `OnnxVideo` alike.
    """

    modalities = frozenset({Modality.VIDEO, Modality.IMAGE})

    def __init__(self, backbone: nn.Module, preprocessing: Preprocessing, *, dim: int, frames: int) -> None:
        super().__init__()
        if frames < 1:
            raise ConfigError(f"frames is {frames}; give how many frames of a film are looked at, 1 or more")
        self.dim = dim
        self.frames = frames
        self.preprocessing = preprocessing
        self.look = Look(preprocessing)
        self.backbone = backbone

    @property
    def reading(self) -> Mapping[str, Any]:
        """Frames as the backbone was trained to see them, and as many."""
        return {
            "image_side": self.preprocessing.side,
            "image_fit": self.preprocessing.fit,
            "frames_per_window": self.frames,
        }

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        """clips: (b, frames, side, side, 3) uint8.

        Raises:
            ShapeError: a part is not pixels of the side that `reading` asks for, or a film has no frame.
        """
        side = self.preprocessing.side
        clips = [evenly(frames_of(part, side), self.frames) for part in parts]
        none = np.zeros((0, self.frames, side, side, 3), np.uint8)
        return {"clips": torch.from_numpy(np.stack(clips) if clips else none)}

    def forward(self, clips: Tensor) -> Tensor:
        """(b, frames, side, side, 3) uint8 -> (b, dim)."""
        rows: Tensor = self.backbone(self._look(clips))
        return rows

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx, a graph for the engine's "onnx-video"."""
        side, file = self.preprocessing.side, f"{name}.onnx"
        clips = torch.zeros(2, self.frames, side, side, 3, dtype=torch.uint8, device=self.look.scale.device)
        with positions_fixed(self.backbone, self._look(clips)):
            to_onnx(self, Path(folder) / file, {"clips": clips})
        options = {"dim": self.dim, "file": file, "side": side, "frames": self.frames}
        return {"use": "onnx-video", "options": options}

    def _look(self, clips: Tensor) -> Tensor:
        """(b, frames, side, side, 3) -> (b, frames, 3, crop, crop); sizes as numbers, so that a graph keeps b free."""
        side, crop = self.preprocessing.side, self.preprocessing.crop
        return self.look(clips.reshape(-1, side, side, 3)).reshape(-1, self.frames, 3, crop, crop)  # type: ignore[no-any-return]
