"""A table of rows that learns: word vectors, bags of words and character n-grams, trained for the task at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.encode.text_bags import TextBags
from duretrieval.errors import ConfigError
from duretrieval.types import Modality, Part


class BagNet(nn.Module):
    """row = sum_i w_i T[i], as `encode.text_bags` computes it, where T learns and the weights w stay.

    encoder: what T begins as, and how texts are read; `export` writes it again with the T that was learned.

    Raises:
        ConfigError: the encoder has no table.
    """

    modalities = frozenset({Modality.TEXT})

    def __init__(self, encoder: TextBags) -> None:
        super().__init__()
        if encoder.table is None:
            raise ConfigError("a bag of words without a projection has nothing to learn; give dim")
        self.dim = encoder.dim
        self._encoder = encoder
        self.table = nn.EmbeddingBag.from_pretrained(torch.tensor(encoder.table), freeze=False, mode="sum")

    @property
    def reading(self) -> dict[str, Any]:
        """Texts are read as every model reads them."""
        return {}

    def prepare(self, parts: Sequence[Part]) -> dict[str, Tensor]:
        """ids (len(parts), m) int64 and weights (len(parts), m) float32; where a weight is 0 there is nothing.

        Raises:
            ShapeError: a part's content is not a string.
        """
        bags = [self._encoder.bag(part) for part in parts]
        ids = np.zeros((len(bags), max((len(ids) for ids, _ in bags), default=0)), np.int64)
        weights = np.zeros(ids.shape, np.float32)
        for i, (held, amounts) in enumerate(bags):
            ids[i, : len(held)] = held
            weights[i, : len(held)] = amounts
        return {"ids": torch.from_numpy(ids), "weights": torch.from_numpy(weights)}

    def forward(self, ids: Tensor, weights: Tensor) -> Tensor:
        """(b, m), (b, m) -> (b, dim)."""
        rows: Tensor = self.table(ids, per_sample_weights=weights)
        return rows

    sequential = True

    def sequence(self, ids: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """w_i T[i] of each word, and which are there: (b, m, dim), (b, m) bool."""
        rows = nn.functional.embedding(ids, self.table.weight)
        return rows * weights[:, :, None], weights > 0

    def encoder(self) -> TextBags:
        """The engine's encoder, with the table as it is now."""
        return self._encoder.with_table(self.table.weight.detach().cpu().numpy().copy())

    def export(self, folder: str | Path, name: str, *, tokens: bool = False) -> dict[str, Any]:
        """Write the engine's encoder, no graph: `name`.safetensors and `name`.json."""
        return {"use": self._encoder.use, "options": self.encoder().save(folder, name)}
