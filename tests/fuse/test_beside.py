"""Neighbours in arrays, and the mean rule, as one writes them out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from duretrieval.fuse.graph import beside, middle
from duretrieval.fuse.means import mean, means, pooled
from duretrieval.types import Modality

TEXT, IMAGE = Modality.TEXT, Modality.IMAGE
EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def test_three_items_of_which_one_has_two_neighbours() -> None:
    around = beside([[(EAST, 3), (NORTH, 1)], [], [(NORTH, 2)]], 2)
    assert around.middles.tolist() == [[[1, 0], [0, 1]], [[0, 0], [0, 0]], [[0, 1], [0, 0]]]
    assert around.there.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert around.kinds.tolist() == [[3, 1], [0, 0], [2, 0]]
    assert [str(array.dtype) for array in (around.middles, around.there, around.kinds)] == [
        "float32",
        "float32",
        "int64",
    ]


def test_there_is_room_for_one_neighbour_at_least() -> None:
    assert beside([[], []], 3).middles.shape == (2, 1, 3)
    assert beside([], 3).there.shape == (0, 1)


def test_a_middle_is_the_mean_of_an_items_modalities() -> None:
    found = middle({TEXT: EAST[None], IMAGE: NORTH[None]})
    assert found.tolist() == [0.5, 0.5]
    assert found.dtype == np.float32


def test_a_mean_is_unit_and_weighted() -> None:
    rows = np.stack([EAST, NORTH])
    np.testing.assert_allclose(mean(rows), [0.5**0.5, 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(mean(rows, [3, -4]), [0.6, -0.8], atol=1e-6)
    assert mean(rows[:0]).tolist() == [0, 0]


@pytest.mark.parametrize("weights", [None, [1, 2, 1]])
def test_each_modality_has_a_mean_but_where_its_rows_cancel_out(weights: list[float] | None) -> None:
    found = means([TEXT, IMAGE, TEXT], np.stack([EAST, NORTH, NORTH]), weights)
    assert list(found) == [TEXT, IMAGE]
    np.testing.assert_allclose(found[TEXT], [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    np.testing.assert_allclose(found[IMAGE], [[0, 1]], atol=1e-6)
    assert list(means([TEXT, TEXT, IMAGE], np.stack([EAST, -EAST, NORTH]))) == [IMAGE]


def test_of_one_row_it_is_that_row() -> None:
    assert pooled(2 * EAST[None]).tolist() == [2, 0]  # as it came
    np.testing.assert_allclose(pooled(np.stack([EAST, NORTH])), [0.5**0.5, 0.5**0.5], atol=1e-6)
