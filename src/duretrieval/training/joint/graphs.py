"""A tower as a graph for the engine: rows that are unit, and everything before the model inside it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from duretrieval.encode.hub.image import ImageTower
from duretrieval.encode.hub.naflex import NaflexTower
from duretrieval.encode.hub.text import TextTower
from duretrieval.training.joint.squares import squares_only
from duretrieval.training.onnx import to_onnx

TOKENS = 7
"""Length of the texts that a graph of any length is traced with."""


class TextGraph(nn.Module):
    """input_ids, attention_mask (b, t) int64 -> (b, dim) unit rows."""

    def __init__(self, tower: TextTower, model: nn.Module) -> None:
        super().__init__()
        self.tower = tower
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """What the mask hides counts as padding, whatever its id."""
        ids = torch.where(attention_mask > 0, input_ids, self.tower.pad_id)
        return functional.normalize(self.tower.rows(self.model, input_ids=ids, attention_mask=attention_mask), dim=1)


class ImageGraph(nn.Module):
    """pixels (b, side, side, 3) uint8 -> (b, dim) unit rows."""

    def __init__(self, tower: ImageTower, model: nn.Module) -> None:
        super().__init__()
        self.tower = tower
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Preprocessing, model and projection."""
        return functional.normalize(self.tower.features(self.model, pixels), dim=1)


def export_text(tower: TextTower, model: nn.Module, folder: str | Path, name: str) -> dict[str, Any]:
    """Write graph and tokenizer; the entry in model.toml names the engine's `OnnxText`."""
    fixed = tower.pad_to == tower.max_tokens
    length = tower.max_tokens if fixed else TOKENS
    ids = torch.full((2, length), tower.pad_id)
    ids[:, 0] = 1 - min(tower.pad_id, 1)  # something that is no padding
    mask = torch.ones(2, length, dtype=torch.int64)
    mask[:, -1] = 0  # transformers leaves the mask out of its computation where a whole batch needs none
    inputs = {"input_ids": ids, "attention_mask": mask}
    free = {} if fixed else {"input_ids": [1], "attention_mask": [1]}
    to_onnx(TextGraph(tower, model).train(model.training), Path(folder) / f"{name}.onnx", inputs, free=free)
    tokenizer = f"{name}-tokenizer.json"
    tower.tokenizer.save(str(Path(folder) / tokenizer))
    options: dict[str, Any] = {"dim": tower.dim, "file": f"{name}.onnx", "tokenizer": tokenizer}
    own = {"pad_id": tower.pad_id, "pad_to": tower.pad_to, "prefix": tower.prefix}
    options |= {"max_tokens": tower.max_tokens, **{key: value for key, value in own.items() if value}}
    return {"use": "onnx-text", "options": options}


def export_image(tower: ImageTower, model: nn.Module, folder: str | Path, name: str) -> dict[str, Any]:
    """Write the graph; the entry in model.toml names the engine's `OnnxImage`."""
    side = tower.preprocessing.side
    pixels = {"pixels": torch.zeros(2, side, side, 3, dtype=torch.uint8)}
    with squares_only(tower, model) if isinstance(tower, NaflexTower) else nullcontext():
        to_onnx(ImageGraph(tower, model).train(model.training), Path(folder) / f"{name}.onnx", pixels)
    return {"use": "onnx-image", "options": {"dim": tower.dim, "file": f"{name}.onnx", "side": side}}
