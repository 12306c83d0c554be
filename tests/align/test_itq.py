from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from duretrieval.align.itq import Itq, signs
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.similarity import unit
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def clusters(n: int, d: int, many: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(many, d)) * np.linspace(2, 0.3, d)
    return unit((centres[rng.integers(many, size=n)] + 0.3 * rng.normal(size=(n, d)) + 0.5).astype(np.float32))


def lost(itq: Itq, x: np.ndarray) -> float:
    values = itq.affine(x)
    return float(np.mean((signs(values) - values) ** 2))


def test_four_corners_by_eye() -> None:
    """A square standing on its corner is turned until each corner has a quadrant, and a code, of its own."""
    x = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32) + 5
    codes = Itq.fit(x, bits=2)(x, Modality.TEXT) * np.sqrt(2)
    np.testing.assert_allclose(np.abs(codes), 1, atol=1e-6)
    assert len(np.unique(codes.round(), axis=0)) == 4
    np.testing.assert_allclose(codes[0], -codes[2], atol=1e-6)


def test_against_a_slow_reference() -> None:
    """Principal axes by singular values, rotations by scipy's Procrustes, from the same first rotation."""
    x = clusters(200, 9).astype(float)
    centred = x - x.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:5].T
    start, ours = Itq.fit(x, bits=5, iterations=0), Itq.fit(x, bits=5, iterations=7)
    rotation = axes.T @ start.affine.weights
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(5), atol=1e-9)
    for _ in range(7):
        rotation = orthogonal_procrustes(centred @ axes, signs(centred @ axes @ rotation))[0]
    np.testing.assert_allclose(ours.affine.weights, axes @ rotation, atol=1e-7)


def test_every_turn_loses_less() -> None:
    x = clusters(400, 16)
    errors = [lost(Itq.fit(x, bits=8, iterations=i), x) for i in range(8)]
    assert all(after <= before + 1e-9 for before, after in pairwise(errors))
    assert errors[-1] < 0.98 * errors[0]


def test_hamming_neighbours_are_neighbours() -> None:
    x = clusters(600, 32, many=40)
    codes = Itq.fit(x[:500], bits=24)(x, Modality.IMAGE)
    near = np.argmax(x[500:] @ x[:500].T, axis=1)
    similarity = codes[500:] @ codes[:500].T
    own = similarity[np.arange(100), near]
    assert np.mean(similarity < own[:, None]) > 0.9


class TestItq(AlignerSuite):
    def make(self) -> Itq:
        return Itq.fit(clusters(100, 8), bits=5)

    def vectors(self) -> np.ndarray:
        return clusters(6, 8, seed=1)


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(ConfigError, match="bits is 9; the vectors vary in 8 directions, so it must be 1 to 8"):
        Itq.fit(clusters(100, 8), bits=9)
    with pytest.raises(ConfigError, match="bits is 5; the vectors vary in 3 directions"):
        Itq.fit(clusters(4, 8), bits=5)
    with pytest.raises(ConfigError, match="iterations is -1; it must be 0"):
        Itq.fit(clusters(100, 8), bits=4, iterations=-1)
    with pytest.raises(ShapeError, match="nothing can be fitted to 1 vectors; give at least 2"):
        Itq.fit(clusters(1, 8), bits=1)
    with pytest.raises(ConfigError, match="all 3 rows of x are the same"):
        Itq.fit(np.ones((3, 4)), bits=1)
