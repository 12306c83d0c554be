from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.encode.cutting import Cutting, heard
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.types import Modality, Part


def ramp(n: int) -> np.ndarray:
    return np.arange(1, n + 1, dtype=np.float32)


@pytest.mark.parametrize(
    ("cutting", "n", "pieces"),
    [
        (Cutting(), 5, [[1, 2, 3, 4, 5]]),
        (Cutting(shortest=4), 2, [[1, 2, 0, 0]]),
        (Cutting(shortest=5, fill="repeat"), 2, [[1, 2, 1, 2, 1]]),
        (Cutting(shortest=3, longest=3), 3, [[1, 2, 3]]),
        (Cutting(longest=4), 4, [[1, 2, 3, 4]]),
        (Cutting(longest=4), 6, [[1, 2, 3, 4], [3, 4, 5, 6]]),
        (Cutting(longest=3), 6, [[1, 2, 3], [4, 5, 6]]),
        (Cutting(longest=4, hop=2), 8, [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8]]),
        (Cutting(longest=4, long="cut"), 6, [[1, 2, 3, 4]]),
    ],
)
def test_by_eye(cutting: Cutting, n: int, pieces: list[list[int]]) -> None:
    assert [piece.tolist() for piece in cutting(ramp(n))] == pieces


@given(n=st.integers(1, 300), shortest=st.integers(1, 40), more=st.integers(0, 40), hop=st.integers(1, 80))
def test_every_sample_is_heard_in_pieces_of_the_lengths_promised(n: int, shortest: int, more: int, hop: int) -> None:
    longest = shortest + more
    pieces = Cutting(shortest=shortest, longest=longest, hop=min(hop, longest))(ramp(n))
    assert all(shortest <= len(piece) <= longest and piece.dtype == np.float32 for piece in pieces)
    assert {int(sample) for piece in pieces for sample in piece} - {0} == set(range(1, n + 1))
    starts = [int(piece[0]) for piece in pieces]
    assert all(0 < after - before <= min(hop, longest) for before, after in pairwise(starts))


@given(st.integers(1, 100))
def test_a_sound_that_fits_is_left_as_it_is(n: int) -> None:
    (piece,) = Cutting(longest=100)(ramp(n))
    np.testing.assert_array_equal(piece, ramp(n))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shortest": 0}, "shortest is 0; give a number of samples, 1 or more"),
        ({"fill": "noise"}, "fill is 'noise'; give 'silence' or 'repeat'"),
        ({"long": "crop"}, "long is 'crop'; give 'mean' or 'cut'"),
        ({"shortest": 9, "longest": 4}, "longest is 4 samples and shortest is 9; longest must not be less"),
        ({"longest": 4, "hop": 5}, "hop is 5 samples and longest is 4; hop must be 1 to longest"),
        ({"longest": 4, "hop": 0}, "hop is 0 samples"),
        ({"hop": 3}, "hop is 3 samples and there is no longest; give longest too, or leave hop out"),
    ],
)
def test_what_cannot_be_done_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Cutting(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (np.zeros((2, 100), np.float32), r"\(2, 100\) float32"),
        (np.zeros(100, np.int16), r"\(100,\) int16"),
        (np.zeros(0, np.float32), r"\(0,\) float32"),
        (None, "NoneType"),
    ],
)
def test_what_is_not_mono_samples_is_refused(content: object, got: str) -> None:
    with pytest.raises(ShapeError, match=rf"mono sound of shape \(samples,\) float32 at 8000 Hz; got {got}"):
        heard(Part(Modality.AUDIO, content), 8000)  # type: ignore[arg-type]
