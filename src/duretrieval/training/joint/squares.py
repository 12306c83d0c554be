"""NaFlex with one size of picture, for a graph: its position embeddings, once resized, are a constant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.encode.hub.naflex import NaflexTower


class SquareEmbeddings(nn.Module):
    """Patches (b, n * n, p * p * 3) and the positions of an n x n square: (b, n * n, d)."""

    def __init__(self, embeddings: Any, n: int) -> None:
        super().__init__()
        self.patch_embedding = embeddings.patch_embedding
        side = embeddings.position_embedding_size
        positions = embeddings.position_embedding.weight.unflatten(0, (side, side))
        resized = embeddings.resize_positional_embeddings(positions, torch.tensor([[n, n]]), n * n)
        self.register_buffer("positions", resized.detach())

    def forward(self, pixel_values: Tensor, spatial_shapes: Tensor) -> Tensor:
        """spatial_shapes: not looked at; there is one shape."""
        rows: Tensor = self.patch_embedding(pixel_values) + self.positions
        return rows


@contextmanager
def squares_only(tower: NaflexTower, model: Any) -> Iterator[None]:
    """Inside the block, the model takes squares of the tower's side and nothing else."""
    vision = model.vision_model
    kept = vision.embeddings
    vision.embeddings = SquareEmbeddings(kept, tower.preprocessing.side // tower.patch)
    try:
        yield
    finally:
        vision.embeddings = kept
