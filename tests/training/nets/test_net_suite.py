"""The suite passes a net that keeps the laws, and catches one that breaks any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from duretrieval.errors import ShapeError
from duretrieval.testing import NetSuite
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part

SIDE = 4


class Flat(nn.Module):
    """Pixels through one linear layer."""

    dim = 3
    modalities = frozenset({Modality.IMAGE, Modality.VIDEO})

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(SIDE * SIDE * 3, self.dim)
        nn.init.normal_(self.linear.weight, generator=torch.Generator().manual_seed(0))

    @property
    def reading(self) -> dict[str, Any]:
        return {"image_side": SIDE}

    def prepare(self, parts: Sequence[Part]) -> dict[str, Tensor]:
        if not all(isinstance(part.content, np.ndarray) for part in parts):
            raise ShapeError("expected the content of an image part to be an array")
        return {"pixels": torch.from_numpy(np.stack([part.content for part in parts]))}  # type: ignore[misc]

    def forward(self, pixels: Tensor) -> Tensor:
        return self.linear(pixels.flatten(1).float() / 255)

    def export(self, folder: Path, name: str) -> dict[str, Any]:
        to_onnx(self, folder / f"{name}.onnx", {"pixels": torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)})
        return {"use": "onnx-image", "options": {"dim": self.dim, "file": f"{name}.onnx", "side": SIDE}}


def pictures() -> list[Part]:
    rng = np.random.default_rng(0)
    return [Part(Modality.IMAGE, rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)) for _ in range(4)]


class TestFlat(NetSuite):
    @pytest.fixture
    def net(self) -> Flat:
        return Flat()

    @pytest.fixture
    def parts(self) -> list[Part]:
        return pictures()


class MixesTheBatch(Flat):
    def forward(self, pixels: Tensor) -> Tensor:
        rows = super().forward(pixels)
        return rows - 0.5 * rows.mean(dim=0)


class Draws(Flat):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels) + torch.rand(1)


class Detached(Flat):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels).detach().requires_grad_()


class KeepsToItself(Flat):
    def __init__(self) -> None:
        super().__init__()
        self.linear.requires_grad_(False)
        self.hidden = [nn.Parameter(torch.ones(1))]  # in a list, where torch does not see it

    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels) * self.hidden[0]


class TakesAnything(Flat):
    def prepare(self, parts: Sequence[Part]) -> dict[str, Tensor]:
        return {"pixels": torch.zeros(len(parts), SIDE, SIDE, 3)}


class ExportsAnother(Flat):
    def export(self, folder: Path, name: str) -> dict[str, Any]:
        return Flat.export(Detuned(), folder, name)


class Detuned(Flat):
    def forward(self, pixels: Tensor) -> Tensor:
        return super().forward(pixels) + 0.1


class ForgetsTheName(Flat):
    def export(self, folder: Path, name: str) -> dict[str, Any]:
        return super().export(folder, "image")


class EntersAPath(Flat):
    def export(self, folder: Path, name: str) -> dict[str, Any]:
        entry = super().export(folder, name)
        return {**entry, "options": {**entry["options"], "file": folder / "mine.onnx"}}


@pytest.mark.parametrize(
    ("net", "law"),
    [
        (MixesTheBatch, NetSuite.test_each_row_stands_alone),
        (Draws, NetSuite.test_each_row_stands_alone),
        (Detached, NetSuite.test_learns),
        (KeepsToItself, NetSuite.test_learns),
        (TakesAnything, NetSuite.test_content_of_another_kind_is_refused),
        (TakesAnything, NetSuite.test_different_parts_have_different_rows),
        (ExportsAnother, NetSuite.test_the_exported_encoder_gives_the_same_rows),
        (ForgetsTheName, NetSuite.test_its_entry_fits_model_toml),
        (EntersAPath, NetSuite.test_its_entry_fits_model_toml),
    ],
)
def test_catches(net: Callable[[], Flat], law: Callable[..., None], tmp_path: Path) -> None:
    given = {"net": net(), "parts": pictures(), "tmp_path": tmp_path}
    wanted = law.__code__.co_varnames[1 : law.__code__.co_argcount]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        law(NetSuite(), **{name: given[name] for name in wanted})
