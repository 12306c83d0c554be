from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from duretrieval.align.procrustes import Procrustes
from duretrieval.similarity import unit
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def pairs(n: int, d_in: int, dim: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d_in)) + 1, rng.normal(size=(n, dim)) - 1
    return unit(x.astype(np.float32)), unit(y.astype(np.float32))


def test_worked_by_hand() -> None:
    """A quarter turn: east is the pair of north, and north of west."""
    quarter = Procrustes.fit(np.array([[1.0, 0], [0, 1]]), np.array([[0.0, 1], [-1, 0]]), centre=False)
    np.testing.assert_allclose(quarter.affine.weights, [[0, 1], [-1, 0]], atol=1e-12)
    out = quarter(np.array([[0.6, 0.8]], np.float32), Modality.IMAGE)
    np.testing.assert_allclose(out, [[-0.8, 0.6]], atol=1e-6)


@pytest.mark.parametrize("n", [200, 7])
def test_agrees_with_scipy(n: int) -> None:
    x, y = (rows.astype(float) for rows in pairs(n, 7, 7))
    theirs, total = orthogonal_procrustes(x, y)
    np.testing.assert_allclose(Procrustes.fit(x, y, centre=False).affine.weights, theirs, atol=1e-5)
    scaled = Procrustes.fit(x, y, centre=False, scale=True)
    np.testing.assert_allclose(scaled.affine.weights, theirs * total / np.sum(x**2), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(d=st.integers(2, 8), seed=st.integers(0, 999), stretch=st.floats(0.1, 10))
def test_a_rotation_is_recovered_exactly(d: int, seed: int, stretch: float) -> None:
    rng = np.random.default_rng(seed)
    rotation, shift, x = ortho_group.rvs(d, random_state=rng), rng.normal(size=d), rng.normal(size=(3 * d, d))
    turned = Procrustes.fit(x, x @ rotation)
    np.testing.assert_allclose(turned.affine.weights, rotation, atol=1e-9)
    moved = Procrustes.fit(x, stretch * x @ rotation + shift, scale=True)
    np.testing.assert_allclose(moved.affine.weights, stretch * rotation, atol=1e-8)
    new = rng.normal(size=(4, d)).astype(np.float32)
    np.testing.assert_allclose(moved.affine(new), stretch * new @ rotation + shift, atol=1e-3, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), shift=st.integers(-30, 30))
def test_neither_a_constant_nor_the_order_matters(seed: int, shift: int) -> None:
    x, y = pairs(30, 6, 5, seed)
    x = np.round(x * 1024) / 1024  # so that adding a constant loses no digits
    out = Procrustes.fit(x, y)(x, Modality.IMAGE)
    moved = x + np.float32(shift)
    order = np.random.default_rng(seed).permutation(30)
    np.testing.assert_allclose(Procrustes.fit(moved, y)(moved, Modality.IMAGE), out, atol=1e-5)
    np.testing.assert_allclose(Procrustes.fit(x[order], y[order])(x, Modality.IMAGE), out, atol=1e-5)


def test_to_a_wider_space_angles_are_kept_and_no_other_embedding_is_nearer() -> None:
    x, y = pairs(50, 4, 9)
    fitted = Procrustes.fit(x, y, centre=False)
    r = fitted.affine.weights
    np.testing.assert_allclose(r @ r.T, np.eye(4), atol=1e-12)
    out = fitted(x, Modality.IMAGE)
    np.testing.assert_allclose(out @ out.T, x @ x.T, atol=1e-5)
    rng = np.random.default_rng(5)
    for _ in range(50):
        other = np.linalg.qr(r.T + 0.1 * rng.normal(size=(9, 4)))[0].T
        other *= np.sign(np.sum(other * r, axis=1))[:, None]
        assert np.sum((x @ other - y) ** 2) > np.sum((x @ r - y) ** 2)


def test_to_a_narrower_space_it_correlates_most() -> None:
    x, y = pairs(50, 9, 4)
    r = Procrustes.fit(x, y).affine.weights
    np.testing.assert_allclose(r.T @ r, np.eye(4), atol=1e-12)
    cross = (x - x.mean(axis=0)).T @ (y - y.mean(axis=0))
    rng = np.random.default_rng(5)
    for _ in range(50):
        other = np.linalg.qr(r + 0.1 * rng.normal(size=(9, 4)))[0]
        other *= np.sign(np.sum(other * r, axis=0))
        assert np.sum(other * cross) < np.sum(r * cross)


class TestWider(AlignerSuite):
    def make(self) -> Procrustes:
        return Procrustes.fit(*pairs(100, 6, 9), scale=True)

    def vectors(self) -> np.ndarray:
        return pairs(5, 6, 9, seed=1)[0]


class TestNarrower(AlignerSuite):
    def make(self) -> Procrustes:
        return Procrustes.fit(*pairs(100, 6, 3))

    def vectors(self) -> np.ndarray:
        return pairs(5, 6, 3, seed=1)[0]


class TestFewPairs(TestWider):
    def make(self) -> Procrustes:
        return Procrustes.fit(*pairs(4, 6, 6), centre=False)
