"""A fusion of a model folder, run without torch."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.fuse.network import OnnxFusion
from duretrieval.testing import FusionSuite
from duretrieval.training.nets.fusion.concatenation import Concatenation
from duretrieval.training.nets.fusion.weighted_sum import WeightedSum
from duretrieval.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO


def load(folder: Path) -> OnnxFusion:
    """Twice as much text as picture."""
    entry = WeightedSum((TEXT, IMAGE), 2, weights={"text": 2}).export(folder, "fusion")
    return OnnxFusion.load(folder, **entry["options"])


def test_by_hand(tmp_path: Path) -> None:
    fusion = load(tmp_path)
    east, north = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32)
    np.testing.assert_allclose(fusion({TEXT: east, IMAGE: north}), [[2 / 5**0.5, 1 / 5**0.5]], atol=1e-6)
    np.testing.assert_allclose(fusion({IMAGE: north}), north, atol=1e-6)
    nothing = fusion({IMAGE: north[:0]})
    assert (nothing.shape, nothing.dtype) == ((0, 2), np.float32)


class TestWeightedSum(FusionSuite):
    width = 6
    alone_is_itself = True

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        TestWeightedSum.at = tmp_path_factory.mktemp("model")

    at: ClassVar[Path]

    def make(self) -> OnnxFusion:
        return OnnxFusion.load(self.at, **WeightedSum((IMAGE, AUDIO, TEXT), 6).export(self.at, "fusion")["options"])


class TestConcatenation(TestWeightedSum):
    alone_is_itself = False

    def make(self) -> OnnxFusion:
        torch.manual_seed(0)
        fusion = Concatenation((IMAGE, AUDIO, TEXT), 6, 4)
        return OnnxFusion.load(self.at, **fusion.export(self.at, "fusion")["options"])


def test_a_modality_it_was_not_made_for(tmp_path: Path) -> None:
    rows = np.ones((1, 2), np.float32)
    with pytest.raises(ConfigError, match="this fusion takes text, image, not audio; leave that out"):
        load(tmp_path)({TEXT: rows, AUDIO: rows})


def test_rows_of_another_shape(tmp_path: Path) -> None:
    fusion = load(tmp_path)
    with pytest.raises(ShapeError, match="there is nothing to fuse; give vectors of at least one of text, image"):
        fusion({})
    message = r"expected rows \(n, 2\), as many for each modality; got text \(1, 2\), image \(2, 2\)"
    with pytest.raises(ShapeError, match=message):
        fusion({TEXT: np.ones((1, 2), np.float32), IMAGE: np.ones((2, 2), np.float32)})
    with pytest.raises(ShapeError, match=r"got image \(3, 5\)"):
        fusion({IMAGE: np.ones((3, 5), np.float32)})


def test_a_modality_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"fusion\.onnx: no modality 'smell'; there are text, image"):
        OnnxFusion.load(tmp_path, file="fusion.onnx", dim=2, modalities=["text", "smell"])
