from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval.align.centre import Centre
from duretrieval.align.conse import Conse
from duretrieval.errors import ModelError, ShapeError
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def test_worked_by_hand() -> None:
    out = Centre(np.array([1, 1], np.float32))(np.array([[4, 5]], np.float32), Modality.TEXT)
    np.testing.assert_allclose(out, [[0.6, 0.8]], rtol=1e-6)


class TestCentre(AlignerSuite):
    modality = Modality.TEXT

    def make(self) -> Centre:
        return Centre(np.random.default_rng(0).normal(size=7).astype(np.float32))

    def vectors(self) -> np.ndarray:
        return np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)


def test_shapes_are_checked() -> None:
    with pytest.raises(ShapeError, match=r"vectors of shape \(n, 2\) to centre; got \(1, 3\)"):
        Centre(np.zeros(2, np.float32))(np.zeros((1, 3), np.float32), Modality.TEXT)


def test_another_aligners_file(tmp_path: Path) -> None:
    options = Conse(np.eye(2, dtype=np.float32), top=1).save(tmp_path, "conse")
    with pytest.raises(ModelError, match=r"conse\.safetensors holds no 'mean'; it holds class_vectors"):
        Centre.load(tmp_path, file=options["file"])
