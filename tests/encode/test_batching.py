from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.encode.batching import ROWS, in_batches, mean_per_part


def test_mean_per_part_worked_example() -> None:
    rows = np.array([[1, 0], [3, 0], [0, 5]], np.float32)
    np.testing.assert_array_equal(mean_per_part(rows, [2, 1]), [[2, 0], [0, 5]])


@given(st.lists(st.integers(1, 5), max_size=8))
def test_mean_per_part_agrees_with_a_loop(counts: list[int]) -> None:
    rows = np.random.default_rng(0).normal(size=(sum(counts), 3)).astype(np.float32)
    out, at = mean_per_part(rows, counts), 0
    assert out.shape == (len(counts), 3)
    for mean, count in zip(out, counts, strict=True):
        np.testing.assert_allclose(mean, rows[at : at + count].mean(axis=0), atol=1e-5)
        at += count


@pytest.mark.parametrize("n", [0, 1, ROWS, ROWS + 1, 3 * ROWS])
def test_batches_are_bounded_and_nothing_is_lost(n: int) -> None:
    sizes: list[int] = []

    def run(batch: np.ndarray) -> np.ndarray:
        sizes.append(len(batch))
        return batch.astype(np.float32)

    out = in_batches((np.array([i]) for i in range(n)), run, 1)
    np.testing.assert_array_equal(out, np.arange(n, dtype=np.float32)[:, None])
    assert all(size <= ROWS for size in sizes)
