from __future__ import annotations

import numpy as np
import pytest

from duretrieval.align.csls import csls, mutual
from duretrieval.align.refine import criterion, likeness, matched_axes, refine
from duretrieval.errors import ConfigError
from duretrieval.similarity import unit


def cloud(n: int, d: int, shape: int, seed: int) -> np.ndarray:
    """Rows around clusters that `shape` fixes; `seed` draws other rows of the same ones."""
    rng = np.random.default_rng(shape)
    centres, shares = rng.normal(size=(20, d)) * np.linspace(1.5, 0.5, d), rng.dirichlet(np.full(20, 2.0))
    drawn = np.random.default_rng(seed)
    rows = unit((centres[drawn.choice(20, n, p=shares)] + 0.3 * drawn.normal(size=(n, d))).astype(np.float32))
    return unit(rows - rows.mean(axis=0))


def turn(d: int, seed: int = 0) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def test_a_hub_is_nobodys_nearest() -> None:
    """Column 0 is as near to all three rows as their own partners, and so it loses to them."""
    a = np.eye(3, dtype=np.float32)
    b = unit(np.array([[1, 1, 1], [1, 0.9, 0], [0, 1, 0.9], [0.9, 0, 1]], np.float32))
    assert csls(a, b, neighbours=1).argmax(axis=1).tolist() == [1, 2, 3]


def test_csls_by_a_slow_loop() -> None:
    a, b = cloud(6, 5, 0, 1), cloud(9, 5, 0, 2)
    scores = csls(a, b, neighbours=3)
    for i in range(6):
        for j in range(9):
            r_a = sum(sorted((float(a[i] @ row) for row in b), reverse=True)[:3]) / 3
            r_b = sum(sorted((float(b[j] @ row) for row in a), reverse=True)[:3]) / 3
            assert scores[i, j] == pytest.approx(2 * float(a[i] @ b[j]) - r_a - r_b, abs=1e-5)
    every = 2 * a @ b.T - (a @ b.T).mean(axis=1, keepdims=True) - (a @ b.T).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(csls(a, b, neighbours=100), every, atol=1e-5)  # more than there are: all of them
    with pytest.raises(ConfigError, match="neighbours is 0; it must be at least 1"):
        csls(a, b, neighbours=0)


def test_those_who_choose_one_another() -> None:
    rows, columns = mutual(np.array([[3, 2, 0], [1, 0, 0], [0, 0, 9]], np.float32))
    assert (rows.tolist(), columns.tolist()) == ([0, 2], [0, 2])


def test_the_same_rows_turned_are_aligned_by_their_axes_alone() -> None:
    a, q = cloud(2000, 6, 3, 0), turn(6)
    np.testing.assert_allclose(matched_axes(a, unit((a @ q).astype(np.float32))), q, atol=1e-4)


def test_axes_are_turned_round_where_their_direction_is_in_doubt() -> None:
    a = cloud(2000, 6, 3, 0)
    drawn = [matched_axes(a, a, np.random.default_rng(seed)) for seed in range(30)]
    rights = [np.allclose(rotation, np.eye(6), atol=1e-4) for rotation in drawn]
    assert 1 < sum(rights) < 30
    for rotation in drawn:
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(6), atol=1e-8)


def test_refinement_makes_a_rough_rotation_exact() -> None:
    a, q = cloud(800, 10, 0, 1), turn(10)
    b = unit((a @ q).astype(np.float32))
    rough = np.linalg.qr(q + 0.12 * np.random.default_rng(5).normal(size=(10, 10)))[0]
    rough *= np.sign(np.sum(rough * q, axis=0))
    found = refine(rough, a, b)
    np.testing.assert_allclose(found.rotation, q, atol=1e-3)
    assert found.criterion == pytest.approx(1, abs=1e-4)
    assert found.criterion > criterion(rough, a, b) + 0.02


def test_a_few_anchors_hold_it() -> None:
    a, q = cloud(500, 10, 0, 1), turn(10)
    b = unit((cloud(500, 10, 0, 2) @ q).astype(np.float32))
    anchors = (a[:12], unit((a[:12] @ q).astype(np.float32)))
    start = turn(10, seed=9)
    alone, held = refine(start, a, b), refine(start, a, b, anchors)
    assert np.abs(held.rotation - q).max() < 0.1 < np.abs(alone.rotation - q).max()


@pytest.mark.slow
def test_likeness_tells_one_shape_from_another() -> None:
    a, q = cloud(400, 8, 0, 1), turn(8)
    same, other = unit((cloud(400, 8, 0, 2) @ q).astype(np.float32)), cloud(400, 8, 1, 2)
    rng = np.random.default_rng(0)
    assert likeness(q, a, same, rng) > 0.9
    assert likeness(refine(matched_axes(a, other), a, other).rotation, a, other, rng) < 0.5
    assert likeness(turn(8, 4), a, same, rng) < 0.2
