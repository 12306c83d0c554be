"""SigLIP 2 with patches in any arrangement (NaFlex): squares, as the engine gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.encode.hub.image import ImageTower
from duretrieval.encode.hub.preprocessing import numbers_of, processor_of


@dataclass(frozen=True, slots=True, eq=False)
class NaflexTower(ImageTower):
    """As `ImageTower`, with the picture cut into patches before the model.

    Unlike the paper (Tschannen et al. 2025, NaFlex), pictures come as squares padded with white, not in their own
    shape: the engine's pictures have one size.
    """

    patch: int

    def features(self, model: Any, squares: Any) -> Any:
        """(b, side, side, 3) uint8 -> (b, dim)."""
        n, p = self.preprocessing.side // self.patch, self.patch
        patches = self.preprocessing(squares).reshape(-1, 3, n, p, n, p)
        patches = patches.permute(0, 2, 4, 3, 5, 1).reshape(-1, n * n, p * p * 3)
        shape = patches.new_tensor([[n, n]]).long()  # one for all: the position embeddings broadcast
        return model.get_image_features(pixel_values=patches, spatial_shapes=shape).pooler_output


def naflex_tower(folder: Path, dim: int) -> NaflexTower:
    """The largest square that the processor of the folder takes without resizing it."""
    processor = processor_of(folder)
    side = math.isqrt(processor.max_num_patches) * processor.patch_size
    return NaflexTower(dim, numbers_of(processor, side, side, "pad"), processor.patch_size)
