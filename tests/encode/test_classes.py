from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from duretrieval.encode.classes import hellinger


def test_worked_example() -> None:
    np.testing.assert_allclose(hellinger(np.array([[1, 3]], np.float32)), [[0.5, 0.8660254]], rtol=1e-6)


def test_no_score_at_all_is_uniform() -> None:
    np.testing.assert_allclose(hellinger(np.zeros((1, 4), np.float32)), [[0.5] * 4], rtol=1e-6)


def test_cosine_is_the_bhattacharyya_coefficient() -> None:
    p, q = np.array([0.2, 0.8], np.float32), np.array([0.6, 0.4], np.float32)
    expected = sum((a * b) ** 0.5 for a, b in zip(p, q, strict=True))
    np.testing.assert_allclose(hellinger(p[None])[0] @ hellinger(q[None])[0], expected, rtol=1e-6)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1000, width=32)))
def test_rows_are_unit(scores: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(hellinger(scores), axis=1), 1, atol=1e-5)
