from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh
from sklearn.cross_decomposition import CCA, PLSSVD

from duretrieval.align.cca import Cca
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality

SIDES: dict[str, Any] = {"x_modalities": [Modality.IMAGE, Modality.VIDEO], "y_modalities": [Modality.TEXT]}


def pairs(n: int, d_x: int, d_y: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three shared factors, of falling strength, and noise."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 3)) * [3, 2, 1]
    x = shared @ rng.normal(size=(3, d_x)) + rng.normal(size=(n, d_x)) + 4
    y = shared @ rng.normal(size=(3, d_y)) + rng.normal(size=(n, d_y)) - 4
    return x.astype(np.float32), y.astype(np.float32)


def normalised(columns: np.ndarray) -> np.ndarray:
    columns = columns - columns.mean(axis=0, dtype=float)
    columns = columns / np.linalg.norm(columns, axis=0)
    return columns * np.sign(columns[0])


def test_worked_by_hand() -> None:
    """x = (signal, nothing to do with y), y = 10 signal + noise: the first component is the signal."""
    x = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    y = np.array([[11.0], [9], [-9], [-11]])
    cca = Cca.fit(x, y, dim=1, penalty=0, power=0, **SIDES)
    # corr = 40 / (sqrt 4 sqrt 404) for the signal, 4 / (sqrt 4 sqrt 404) for the other; both together give 1.
    assert cca.correlations == pytest.approx(1)
    np.testing.assert_allclose(cca.x.weights[:, 0] / cca.x.weights[0, 0], [1, 0.1])
    np.testing.assert_allclose(cca(np.array([[2.0, 0]], np.float32), Modality.IMAGE), [[1]])
    np.testing.assert_allclose(cca(np.array([[-2.0]], np.float32), Modality.TEXT), [[-1]])


def test_agrees_with_scikit_learn() -> None:
    x, y = pairs(400, 6, 4)
    theirs = CCA(n_components=3, max_iter=10_000, tol=1e-14).fit(x.astype(float), y.astype(float))
    their_x, their_y = theirs.transform(x.astype(float), y.astype(float))
    ours = Cca.fit(x, y, dim=3, penalty=0, **SIDES)
    np.testing.assert_allclose(normalised(ours.x(x)), normalised(their_x), atol=1e-5)
    np.testing.assert_allclose(normalised(ours.y(y)), normalised(their_y), atol=1e-5)
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(their_x.T, their_y.T, strict=True)]
    np.testing.assert_allclose(ours.correlations, correlations, atol=1e-5)


def test_a_large_penalty_is_partial_least_squares() -> None:
    x, y = pairs(400, 6, 4)
    theirs = PLSSVD(n_components=3, scale=False).fit(x.astype(float), y.astype(float))
    ours = Cca.fit(x, y, dim=3, penalty=1e9, **SIDES)
    their_x, their_y = theirs.transform(x.astype(float), y.astype(float))
    np.testing.assert_allclose(normalised(ours.x(x)), normalised(their_x), atol=1e-5)
    np.testing.assert_allclose(normalised(ours.y(y)), normalised(their_y), atol=1e-5)


@pytest.mark.parametrize("shape", [(200, 7, 5), (10, 30, 5), (10, 30, 40)])
def test_agrees_with_the_generalised_eigenproblem(shape: tuple[int, int, int]) -> None:
    """[0 Cxy; Cyx 0] w = correlation [Cxx + penalty I 0; 0 Cyy + penalty I] w, more and fewer pairs than directions."""
    x, y = (rows.astype(float) for rows in pairs(*shape))
    ours = Cca.fit(x, y, dim=3, penalty=0.5, **SIDES)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    d = x.shape[1]
    left, right = np.zeros((2, d + y.shape[1], d + y.shape[1]))
    left[:d, d:] = x.T @ y
    left[d:, :d] = left[:d, d:].T
    for rows, block in ((x, slice(d)), (y, slice(d, None))):
        right[block, block] = rows.T @ rows + 0.5 * np.mean(np.sum(rows**2, axis=0)) * np.eye(rows.shape[1])
    values, vectors = eigh(left, right)
    np.testing.assert_allclose(ours.correlations, values[::-1][:3], atol=1e-5)
    top = vectors[:, ::-1][:, :3]
    np.testing.assert_allclose(normalised(ours.x(x)), normalised(x @ top[:d]), atol=1e-4)
    np.testing.assert_allclose(normalised(ours.y(y)), normalised(y @ top[d:]), atol=1e-4)


def test_power_weights_components_by_their_correlation() -> None:
    x, y = pairs(100, 6, 4)
    plain = Cca.fit(x, y, dim=3, power=0, **SIDES)
    weighted = replace(plain, power=2)
    by_hand = plain.y(y) * plain.correlations**2
    by_hand /= np.linalg.norm(by_hand, axis=1, keepdims=True)
    np.testing.assert_allclose(weighted(y, Modality.TEXT), by_hand, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), n=st.sampled_from([8, 40]), shift=st.integers(-30, 30), longer=st.sampled_from([4, 8]))
def test_neither_a_constant_nor_length_nor_order_matters(seed: int, n: int, shift: int, longer: int) -> None:
    x, y = pairs(n, 9, 5, seed)
    x = np.round(x * 1024) / 1024  # so that adding a constant loses no digits
    cca = Cca.fit(x, y, dim=3, **SIDES)
    cosines = cca(x, Modality.IMAGE) @ cca(y, Modality.TEXT).T
    order = np.random.default_rng(seed).permutation(n)
    moved = (x + np.float32(shift)) * np.float32(longer)
    for x_again, same in ((x, Cca.fit(x[order], y[order], dim=3, **SIDES)), (moved, Cca.fit(moved, y, dim=3, **SIDES))):
        np.testing.assert_allclose(same.correlations, cca.correlations, atol=1e-6)
        again = same(x_again, Modality.IMAGE) @ same(y, Modality.TEXT).T
        np.testing.assert_allclose(again, cosines, atol=1e-4)


class TestXSide(AlignerSuite):
    modality = Modality.VIDEO

    def make(self) -> Cca:
        return Cca.fit(*pairs(100, 6, 9), dim=4, **SIDES)

    def vectors(self) -> np.ndarray:
        return pairs(5, 6, 9, seed=1)[0]


class TestYSide(TestXSide):
    modality = Modality.TEXT

    def vectors(self) -> np.ndarray:
        return pairs(5, 6, 9, seed=1)[1]


class TestFewPairs(TestYSide):
    def make(self) -> Cca:
        return Cca.fit(*pairs(5, 6, 9), dim=4, **SIDES)


def test_a_modality_it_was_not_fitted_to() -> None:
    cca = Cca.fit(*pairs(20, 4, 3), dim=2, **SIDES)
    with pytest.raises(ConfigError, match=r"fitted to image\+video and text, not to audio; fit another .* with audio"):
        cca(np.zeros((1, 4), np.float32), Modality.AUDIO)


def test_each_side_has_its_width() -> None:
    cca = Cca.fit(*pairs(20, 4, 3), dim=2, **SIDES)
    with pytest.raises(ShapeError, match=r"vectors of length 3 and takes \(n, 3\); got \(1, 4\)"):
        cca(np.zeros((1, 4), np.float32), Modality.TEXT)


@pytest.mark.parametrize("dim", [0, 4])
def test_no_more_components_than_there_are(dim: int) -> None:
    message = f"dim is {dim}; x varies in 4 directions and y in 3, so it must be 1 to 3; more needs more pairs"
    with pytest.raises(ConfigError, match=message):
        Cca.fit(*pairs(20, 4, 3), dim=dim, **SIDES)


@pytest.mark.parametrize("setting", ["penalty", "power"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_settings_must_be_usable(setting: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{setting} is {value:g}; it must be 0 or more"):
        Cca.fit(*pairs(20, 4, 3), dim=2, **{setting: value}, **SIDES)


@pytest.mark.parametrize(
    ("x_modalities", "y_modalities", "said"),
    [
        ([], [Modality.TEXT], "x is nothing and y is text"),
        ([Modality.TEXT], [Modality.TEXT], "x is text and y is text"),
    ],
)
def test_sides_must_differ(x_modalities: list[Modality], y_modalities: list[Modality], said: str) -> None:
    with pytest.raises(ConfigError, match=f"{said}; each needs at least one modality, and none may be on both sides"):
        Cca.fit(*pairs(20, 4, 3), dim=2, x_modalities=x_modalities, y_modalities=y_modalities)


def test_arrays_that_do_not_fit_together() -> None:
    cca = Cca.fit(*pairs(20, 4, 3), dim=2, **SIDES)
    with pytest.raises(ShapeError, match=r"got 2, 2 and correlations of shape \(1,\)"):
        replace(cca, correlations=cca.correlations[:1])


def test_another_aligners_file(tmp_path: Path) -> None:
    options = Ridge.fit(*pairs(20, 4, 3)).save(tmp_path, "ridge")
    with pytest.raises(ModelError, match=r"ridge\.safetensors holds no 'x_mean'; it holds mean, shift, weights"):
        Cca.load(tmp_path, file=options["file"], x_modalities=["image"], y_modalities=["text"], power=1.0)
