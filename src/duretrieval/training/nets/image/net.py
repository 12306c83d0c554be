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
from duretrieval.training.nets.tokens import padded
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part


class PictureNet(nn.Module):
    """Rows of pictures, and of films as the mean of their frames' rows.

    backbone: (n, 3, crop, crop) float32 -> (n, dim); with a method `cells`, to (n, t, dim), it hands on patches or
    places of its last feature map.  The mean is taken of rows as they come from the backbone, before
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

    @property
    def sequential(self) -> bool:
        """Whether the backbone has cells as wide as a row."""
        return bool(getattr(self.backbone, "has_cells", False))

    def sequence(self, pixels: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Cells of pictures; of a film of several frames the mean of each: (b, t, dim), (b, t) bool."""
        there = torch.arange(pixels.shape[1], device=frames.device) < frames[:, None]
        cells = self.cells(pixels[there])
        first = frames.cumsum(dim=0) - frames
        if bool((frames == 1).all()):
            return cells, torch.ones(cells.shape[:2], dtype=torch.bool, device=frames.device)
        means = cells.mean(dim=1)
        found = [
            cells[at] if count == 1 else means[at : at + count]
            for at, count in zip(first.tolist(), frames.tolist(), strict=True)
        ]
        counts = torch.tensor([len(rows) for rows in found], device=frames.device)
        owners = torch.repeat_interleave(torch.arange(len(found), device=frames.device), counts)
        return padded(torch.cat(found), owners, len(found))

    def cells(self, pixels: Tensor) -> Tensor:
        """Of pictures by themselves: (n, side, side, 3) uint8 -> (n, t, dim)."""
        out: Tensor = self.backbone.cells(self.look(pixels))  # type: ignore[operator]  # checked by `sequential`
        return out

    def export(self, folder: str | Path, name: str, /, *, tokens: bool = False) -> dict[str, Any]:
        """Write `name`.onnx, a graph for the engine's "onnx-image"; tokens: one that ends in cells."""
        side = self.preprocessing.side
        pixels = torch.zeros(2, side, side, 3, dtype=torch.uint8, device=self.look.scale.device)
        with positions_fixed(self.backbone, self.look(pixels)):
            to_onnx(_Rows(self, tokens), Path(folder) / f"{name}.onnx", {"pixels": pixels})
        options = {"dim": self.dim, "file": f"{name}.onnx", "side": side, **({"output": "cells"} if tokens else {})}
        return {"use": "onnx-image", "options": options}


class _Rows(nn.Module):
    def __init__(self, net: PictureNet, tokens: bool) -> None:
        super().__init__()
        self.net = net
        self.tokens = tokens

    def forward(self, pixels: Tensor) -> Tensor:
        return self.net.cells(pixels) if self.tokens else self.net.rows(pixels)
