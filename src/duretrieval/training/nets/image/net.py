"""A picture encoder that trains: a backbone between pixels and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.encode.frames import films_of
from duretrieval.encode.hub.preprocessing import Preprocessing
from duretrieval.training.nets.image.preprocessing import Look
from duretrieval.training.nets.image.tracing import positions_fixed
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part


class PictureNet(nn.Module):
    """Rows of pictures, and of films as the mean of their frames' rows.

    backbone: (n, 3, crop, crop) float32 -> (n, dim).  The mean is taken of rows as they come from the backbone, before
    anything makes them unit, as the engine's `OnnxImage` does.
    """

    modalities = frozenset({Modality.IMAGE, Modality.VIDEO})

    def __init__(self, backbone: nn.Module, preprocessing: Preprocessing, *, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.preprocessing = preprocessing
        self.look = Look(preprocessing)
        self.backbone = backbone

    @property
    def reading(self) -> Mapping[str, Any]:
        """Pictures as the backbone was trained to see them."""
        return {"image_side": self.preprocessing.side, "image_fit": self.preprocessing.fit}

    def prepare(self, parts: Sequence[Part], /) -> dict[str, Tensor]:
        """pixels: (b, t, side, side, 3) uint8, black after a film's end; frames: (b,) how many there are of each.

        Raises:
            ShapeError: a part is not pixels of the side that `reading` asks for, or a film has no frame.
        """
        pixels, counts = films_of(parts, self.preprocessing.side)
        return {"pixels": torch.from_numpy(pixels), "frames": torch.from_numpy(counts)}

    def forward(self, pixels: Tensor, frames: Tensor) -> Tensor:
        """(b, t, side, side, 3) uint8 and (b,) -> (b, dim); what comes after a film's end is not looked at."""
        b, t = pixels.shape[:2]
        there = torch.arange(t, device=frames.device) < frames[:, None]
        rows = self.rows(pixels[there])
        sums = rows.new_zeros(b, rows.shape[1]).index_add(0, there.nonzero()[:, 0], rows)
        return sums / frames[:, None].to(rows.dtype)

    def rows(self, pixels: Tensor) -> Tensor:
        """Pictures by themselves: (n, side, side, 3) uint8 -> (n, dim)."""
        out: Tensor = self.backbone(self.look(pixels))
        return out

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx, a graph for the engine's "onnx-image"."""
        side = self.preprocessing.side
        pixels = torch.zeros(2, side, side, 3, dtype=torch.uint8, device=self.look.scale.device)
        with positions_fixed(self.backbone, self.look(pixels)):
            to_onnx(_Rows(self), Path(folder) / f"{name}.onnx", {"pixels": pixels})
        return {"use": "onnx-image", "options": {"dim": self.dim, "file": f"{name}.onnx", "side": side}}


class _Rows(nn.Module):
    def __init__(self, net: PictureNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> Tensor:
        return self.net.rows(pixels)
