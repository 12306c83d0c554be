from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV

from duretrieval.align.centre import Centre
from duretrieval.align.ridge import PENALTIES, Ridge, generalised_cross_validation
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.similarity import unit
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def pairs(n: int, d_in: int, dim: int, seed: int = 0, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d_in)) * np.linspace(2, 0.5, d_in) + rng.normal(size=d_in)
    y = x @ rng.normal(size=(d_in, dim)) + noise * rng.normal(size=(n, dim)) + 3
    return x.astype(np.float32), y.astype(np.float32)


def test_worked_by_hand() -> None:
    """One number to one number: x = -1, 1 and y = 2, 6; W = (1·2 + 1·2) / (1 + 1 + penalty)."""
    x, y = np.array([[-1.0], [1.0]]), np.array([[2.0], [6.0]])
    assert Ridge.fit(x, y, penalty=0).affine.weights == pytest.approx(2)
    assert Ridge.fit(x, y, penalty=2).affine.weights == pytest.approx(1)
    half = Ridge.fit(x, y, penalty=2).affine(np.array([[0.5]], np.float32))
    assert half == pytest.approx(4.5)  # 4, the mean of y, and half a step of 1


@pytest.mark.parametrize("penalty", [0.01, 3.0, 1e4])
@pytest.mark.parametrize("shape", [(300, 12, 7), (12, 30, 7), (20, 20, 3), (5000, 4, 1)])
def test_agrees_with_scikit_learn(shape: tuple[int, int, int], penalty: float) -> None:
    x, y = pairs(*shape)
    theirs = SklearnRidge(alpha=penalty).fit(x.astype(float), y.astype(float))
    ours = Ridge.fit(x, y, penalty=penalty)
    scale = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.affine.weights.T / scale, theirs.coef_.reshape(y.shape[1], -1) / scale, atol=1e-5)
    np.testing.assert_allclose(ours(x, Modality.IMAGE), unit(theirs.predict(x).reshape(y.shape)), atol=1e-5)


def test_penalty_zero_is_least_squares_of_smallest_norm() -> None:
    x, y = pairs(8, 15, 3)
    smallest = np.linalg.pinv(x - x.mean(axis=0, dtype=float)) @ (y - y.mean(axis=0, dtype=float))
    np.testing.assert_allclose(Ridge.fit(x, y, penalty=0).affine.weights, smallest, atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 6, 3), (7, 12, 2)])
def test_generalised_cross_validation_by_its_definition(shape: tuple[int, int, int]) -> None:
    """With the hat matrix A written out, the mean among its columns."""
    x, y = (rows.astype(float) for rows in pairs(*shape))
    n = len(x)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    u, s = u[:, s > 1e-9], s[s > 1e-9]
    penalties = np.array([0.01, 1.0, 50.0])
    explained = np.sum((u.T @ y) ** 2, axis=1)
    got = generalised_cross_validation(penalties, s**2, explained, float(np.sum(y**2)), n)
    for score, penalty in zip(got, penalties, strict=True):
        hat = np.full((n, n), 1 / n) + x @ np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1])) @ x.T
        residual = y - hat @ y
        assert score == pytest.approx(n * np.sum(residual**2) / np.trace(np.eye(n) - hat) ** 2)


def test_the_penalty_is_that_of_leave_one_out_where_leverages_are_equal() -> None:
    """A Hadamard design gives every row the same leverage; scikit-learn's leave-one-out must then choose the same."""
    rng = np.random.default_rng(3)
    x = hadamard(32)[:, 1:13] * np.linspace(0.2, 2, 12)
    y = x @ rng.normal(size=(12, 4)) + 3 * rng.normal(size=(32, 4))
    energies = np.sum(x**2, axis=0)
    theirs = RidgeCV(alphas=PENALTIES * energies.mean()).fit(x, y)
    ours = Ridge.fit(x, y)
    assert ours.penalty == pytest.approx(float(theirs.alpha_), rel=1e-9)
    assert PENALTIES[0] * energies.mean() < ours.penalty < PENALTIES[-1] * energies.mean()
    np.testing.assert_allclose(ours.affine.weights.T, theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("shape", [(200, 30, 5), (120, 200, 5)])
def test_the_chosen_penalty_is_about_the_best_on_unseen_pairs(shape: tuple[int, int, int]) -> None:
    n, d_in, dim = shape
    x, y = pairs(n + 1000, d_in, dim, noise=10)

    def error(penalty: float | None) -> float:
        return float(np.mean((Ridge.fit(x[:n], y[:n], penalty=penalty).affine(x[n:]) - y[n:]) ** 2))

    best = min(error(float(penalty)) for penalty in np.logspace(-3, 5, 33))
    tried = PENALTIES * np.var(x[:n], axis=0).sum() * n / min(n - 1, d_in)
    leave_one_out = RidgeCV(alphas=tried).fit(x[:n].astype(float), y[:n].astype(float)).alpha_
    assert error(None) < 1.05 * best
    assert error(None) < 1.02 * error(float(leave_one_out))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(4, 40), shift=st.floats(-30, 30))
def test_neither_a_constant_nor_the_order_matters(seed: int, n: int, shift: float) -> None:
    x, y = pairs(n, 9, 4, seed)
    x = np.round(x * 1024) / 1024  # so that adding a constant loses no digits
    shift = round(shift * 1024) / 1024
    out = Ridge.fit(x, y, penalty=1)(x, Modality.IMAGE)
    moved = Ridge.fit(x + np.float32(shift), y, penalty=1)(x + np.float32(shift), Modality.IMAGE)
    order = np.random.default_rng(seed).permutation(n)
    shuffled = Ridge.fit(x[order], y[order], penalty=1)(x, Modality.IMAGE)
    np.testing.assert_allclose(moved, out, atol=1e-5)
    np.testing.assert_allclose(shuffled, out, atol=1e-5)


class TestTall(AlignerSuite):
    def make(self) -> Ridge:
        return Ridge.fit(*pairs(100, 6, 4))

    def vectors(self) -> np.ndarray:
        return pairs(5, 6, 4, seed=1)[0]


class TestWide(TestTall):
    def make(self) -> Ridge:
        return Ridge.fit(*pairs(5, 6, 4))


def test_frozen() -> None:
    ridge = Ridge.fit(*pairs(10, 3, 2))
    with pytest.raises(AttributeError):
        ridge.penalty = 0.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        ridge.affine.weights[0] = 0


@pytest.mark.parametrize("penalty", [-1.0, float("nan"), float("inf")])
def test_penalty_must_be_usable(penalty: float) -> None:
    with pytest.raises(ConfigError, match=f"penalty is {penalty:g}; it must be 0 or more, or None to have it chosen"):
        Ridge.fit(*pairs(10, 3, 2), penalty=penalty)


def test_vectors_of_another_width() -> None:
    message = r"fitted to vectors of length 3 and takes \(n, 3\); got \(1, 5\)\. Give it the vectors of the encoder"
    with pytest.raises(ShapeError, match=message):
        Ridge.fit(*pairs(10, 3, 2))(np.zeros((1, 5), np.float32), Modality.IMAGE)


def test_another_aligners_file(tmp_path: Path) -> None:
    options = Centre(np.ones(2, np.float32)).save(tmp_path, "centre")
    with pytest.raises(ModelError, match=r"centre\.safetensors holds no 'weights'; it holds mean"):
        Ridge.load(tmp_path, file=options["file"], penalty=1.0)
