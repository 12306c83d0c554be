from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.builtin import FOLDER
from duretrieval.encode.batching import mean_per_part, one_by_one
from duretrieval.onnx import Session


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


def test_one_by_one_keeps_order_and_rows_do_not_meet() -> None:
    graph = Session(FOLDER / "audio.onnx", threads=3)
    rows = np.random.default_rng(0).normal(size=(7, 96, 64)).astype(np.float32)
    together = graph.run(mel=rows)
    np.testing.assert_allclose(one_by_one(iter(rows), graph, "mel", 521), together, atol=1e-5)
    assert one_by_one([], graph, "mel", 521).shape == (0, 521)
