from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval.align.conse import Conse
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality

CLASSES = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)


def rows(*probabilities: list[float]) -> np.ndarray:
    return np.sqrt(np.array(probabilities, np.float32))


def test_worked_by_hand() -> None:
    """Top two of three: 0.6 (1, 0) + 0.3 (0, 1), of length sqrt(0.45)."""
    out = Conse(CLASSES, top=2)(rows([0.6, 0.3, 0.1]), Modality.IMAGE)
    np.testing.assert_allclose(out, [[0.6 / 0.45**0.5, 0.3 / 0.45**0.5]], rtol=1e-5)


def test_temperature_two_takes_square_roots() -> None:
    """0.64 and 0.36 become 0.8 and 0.6, which is unit already."""
    out = Conse(CLASSES, top=2, temperature=2)(rows([0.64, 0.36, 0.0]), Modality.IMAGE)
    np.testing.assert_allclose(out, [[0.8, 0.6]], rtol=1e-5)


def test_top_one_is_the_vector_of_the_likeliest_class() -> None:
    np.testing.assert_allclose(Conse(CLASSES, top=1)(rows([0.2, 0.3, 0.5]), Modality.AUDIO), [[-1, 0]], atol=1e-6)


def test_agrees_with_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    classes, p = rng.normal(size=(30, 8)).astype(np.float32), rng.dirichlet(np.ones(30), size=5)
    out = Conse(classes, top=7, temperature=1.5)(np.sqrt(p).astype(np.float32), Modality.IMAGE)
    for row, probabilities in zip(out, p, strict=True):
        f = np.zeros(8)
        for y in sorted(range(30), key=lambda y: -probabilities[y])[:7]:
            f += probabilities[y] ** (1 / 1.5) * classes[y]
        np.testing.assert_allclose(row, f / np.linalg.norm(f), atol=1e-5)


class TestConse(AlignerSuite):
    def make(self) -> Conse:
        return Conse(np.random.default_rng(1).normal(size=(20, 6)).astype(np.float32), top=5, temperature=2)

    def vectors(self) -> np.ndarray:
        return np.sqrt(np.random.default_rng(2).dirichlet(np.ones(20), size=4)).astype(np.float32)


@pytest.mark.parametrize("top", [0, 4])
def test_top_must_fit_the_classes(top: int) -> None:
    with pytest.raises(ConfigError, match=f"top is {top}; with 3 classes it must be 1 to 3"):
        Conse(CLASSES, top=top)


def test_temperature_must_be_above_zero() -> None:
    with pytest.raises(ConfigError, match="temperature is 0; it must be above 0"):
        Conse(CLASSES, top=1, temperature=0)


def test_shapes_are_checked() -> None:
    with pytest.raises(ShapeError, match=r"class vectors of shape \(c, d\); got \(3,\)"):
        Conse(np.zeros(3, np.float32))
    with pytest.raises(ShapeError, match=r"probabilities of 3 classes, \(n, 3\); got \(1, 2\)"):
        Conse(CLASSES, top=1)(np.zeros((1, 2), np.float32), Modality.IMAGE)


def test_a_file_that_is_not_a_conse(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken\.safetensors cannot be read as safetensors"):
        Conse.load(tmp_path, file="broken.safetensors", top=1, temperature=1)
