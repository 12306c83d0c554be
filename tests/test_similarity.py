import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from duretrieval.errors import ShapeError
from duretrieval.similarity import cosine, euclidean, unit
from duretrieval.types import Array

matrices = arrays(np.float32, (3, 4), elements=st.floats(-10, 10, width=32))


def test_by_hand() -> None:
    a = np.array([[1, 0]], np.float32)
    np.testing.assert_allclose(cosine(a, np.array([[2, 0], [0, 3], [-1, 0]], np.float32)), [[1, 0, -1]])
    np.testing.assert_allclose(euclidean(0 * a, np.array([[3, 4]], np.float32)), [[-5]])


@given(matrices, matrices)
def test_against_slow_loops(a: Array, b: Array) -> None:
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            lengths = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
            expected = float(x @ y) / lengths if lengths > 1e-30 else cosine(a, b)[i, j]
            assert cosine(a, b)[i, j] == pytest.approx(expected, abs=1e-4)
            assert euclidean(a, b)[i, j] == pytest.approx(-float(np.linalg.norm(x - y)), abs=0.02)


def test_on_unit_rows_euclidean_ranks_as_cosine_does() -> None:
    rng = np.random.default_rng(0)
    a, b = unit(rng.normal(size=(5, 8)).astype(np.float32)), unit(rng.normal(size=(50, 8)).astype(np.float32))
    np.testing.assert_array_equal(np.argsort(-cosine(a, b)), np.argsort(-euclidean(a, b)))


def test_rows_of_other_length_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 2\) and \(1, 3\)"):
        cosine(np.ones((1, 2), np.float32), np.ones((1, 3), np.float32))


def test_a_zero_row_stays_zero() -> None:
    np.testing.assert_array_equal(unit(np.zeros((1, 3), np.float32)), [[0, 0, 0]])
