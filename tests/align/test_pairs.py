"""What no aligner can be fitted to, the same sentence from all three."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from duretrieval.align.affine import Affine
from duretrieval.align.cca import Cca
from duretrieval.align.moments import BLOCK, energy, mean, product
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.types import Modality

FITS = [
    Ridge.fit,
    Procrustes.fit,
    partial(Cca.fit, x_modalities=[Modality.IMAGE], y_modalities=[Modality.TEXT], dim=1),
]
GOOD = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)


def damaged(*values: float) -> np.ndarray:
    rows = GOOD.copy()
    rows[4 : 4 + len(values), 1] = values
    return rows


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (GOOD[0], GOOD, ShapeError, r"expected x to be a matrix with one vector a row, \(n, d\); got shape \(3,\)"),
        (GOOD, GOOD[:, :0], ShapeError, r"expected y to be a matrix .* got shape \(9, 0\)"),
        (GOOD, GOOD[1:], ShapeError, "x has 9 rows and y has 8; row i of x must be the pair of row i of y"),
        (GOOD[:1], GOOD[:1], ShapeError, "cannot be fitted to 1 pairs; give at least 2"),
        (GOOD, damaged(np.nan), ConfigError, "1 of the 9 rows of y hold NaN or infinity, the first of them row 4"),
        (damaged(np.inf, -np.inf), GOOD, ConfigError, "2 of the 9 rows of x .* leave these pairs out of both x and y"),
        (np.ones_like(GOOD), GOOD, ConfigError, "all 9 rows of x are the same, so there is nothing to align"),
        (GOOD, np.ones_like(GOOD), ConfigError, "all 9 rows of y are the same"),
    ],
)
def test_refused(fit: Callable[..., Any], x: np.ndarray, y: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit(x, y)


@pytest.mark.parametrize("fit", FITS)
def test_two_pairs_are_enough(fit: Callable[..., Any]) -> None:
    out = fit(GOOD[:2], GOOD[:2, :2])(GOOD, Modality.IMAGE)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("n", [2, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_blocks_change_nothing(n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 3)).astype(np.float32) + 5, rng.normal(size=(n, 2)).astype(np.float32)
    exact_x, exact_y = x.astype(float), y.astype(float)
    np.testing.assert_allclose(mean(x), exact_x.mean(axis=0))
    centred = exact_x - exact_x.mean(axis=0)
    np.testing.assert_allclose(product(x, mean(x), y, mean(y)), centred.T @ (exact_y - exact_y.mean(axis=0)), atol=1e-9)
    np.testing.assert_allclose(product(x, mean(x), x, mean(x)), centred.T @ centred, atol=1e-9)
    assert energy(x, mean(x)) == pytest.approx(np.sum(centred**2))
    affine = Affine(np.ones(3), np.ones((3, 1)), np.ones(1))
    np.testing.assert_allclose(affine(x)[:, 0], exact_x.sum(axis=1) - 2, rtol=1e-6)


def test_arrays_that_do_not_fit_together() -> None:
    message = r"a mean \(d_in,\), weights \(d_in, dim\) and a shift \(dim,\); got \(3,\), \(2, 4\) and \(4,\)"
    with pytest.raises(ShapeError, match=message):
        Affine(np.zeros(3), np.zeros((2, 4)), np.zeros(4))
