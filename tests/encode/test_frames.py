from __future__ import annotations

import numpy as np
import pytest

from duretrieval.encode.frames import evenly, frames_of, middles
from duretrieval.types import Modality, Part


@pytest.mark.parametrize(
    ("t", "count", "expected"),
    [
        (6, 3, [1, 3, 5]),
        (2, 4, [0, 0, 1, 1]),
        (5, 5, [0, 1, 2, 3, 4]),
        (1, 3, [0, 0, 0]),
        (9, 1, [4]),
        (4, 3, [0, 2, 3]),
    ],
)
def test_by_eye(t: int, count: int, expected: list[int]) -> None:
    assert middles(t, count).tolist() == expected
    assert evenly(np.arange(t, dtype=np.uint8), count).tolist() == expected


@pytest.mark.parametrize("t", range(1, 12))
@pytest.mark.parametrize("count", range(1, 12))
def test_every_frame_lies_in_its_segment_and_the_film_reversed_is_nearly_the_same(t: int, count: int) -> None:
    chosen = middles(t, count)
    for i, frame in enumerate(chosen):
        assert i * t / count < frame + 1  # the frame, as the time from its number to the next, meets the segment
        assert frame < (i + 1) * t / count
    assert np.all(np.diff(chosen) >= 0)
    assert np.abs((t - 1 - chosen[::-1]) - chosen).max() <= 1


def test_a_picture_is_a_film_of_one_frame() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    film = frames_of(Part(Modality.IMAGE, picture), 4)
    np.testing.assert_array_equal(film, picture[None])
    np.testing.assert_array_equal(frames_of(Part(Modality.VIDEO, film), 4), film)
