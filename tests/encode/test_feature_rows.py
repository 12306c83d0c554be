"""Features of films that were computed elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from duretrieval.encode.features import Features
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.types import Modality, Part


def test_the_mean_over_time_is_made_unit() -> None:
    (row,) = Features(2).encode([Part(Modality.VIDEO, np.array([[6, 0], [0, 8]]))])
    np.testing.assert_allclose(row, [0.6, 0.8], atol=1e-6)


def test_half_precision_does_not_overflow() -> None:
    (row,) = Features(2).encode([Part(Modality.VIDEO, np.full((300, 2), 60_000, np.float16))])
    np.testing.assert_allclose(row, [0.5**0.5, 0.5**0.5], atol=1e-6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (np.array([["a", "b"]]), "it holds <U1, not numbers"),
        (np.array([[None, None]]), "it holds object, not numbers"),
        (np.zeros((0, 2)), r"it has the shape \(0, 2\); a vector has \(d,\), a sequence of vectors \(t, d\)"),
        (np.ones((1, 1, 2)), r"it has the shape \(1, 1, 2\)"),
        (np.ones(3), "got 3 numbers"),
        (np.array([[1, 2], [3, np.nan]]), r"number 2 of vector 2 is not finite \(NaN, or too large\)"),
        (np.array([1e39, 0]), "number 1 is not finite"),
        (np.array([[1, -1], [-1, 1]]), "all numbers of its mean are 0, which is no direction; leave the vector out"),
        ("a film", "got str. This model reads no media there"),
    ],
)
def test_what_is_no_features_is_refused(content: object, said: str) -> None:
    with pytest.raises(ShapeError, match=r"expected a vector of 2 numbers \(rgb\) for a part of video; " + said):
        Features(2, name="rgb").encode([Part(Modality.VIDEO, content)])  # type: ignore[arg-type]


def test_a_single_vector_is_a_sequence_of_one() -> None:
    one, same = Features(2).encode([Part(Modality.VIDEO, np.array([3, 4])), Part(Modality.VIDEO, np.array([[3, 4]]))])
    np.testing.assert_array_equal(one, same)
    np.testing.assert_allclose(one, [0.6, 0.8], atol=1e-6)


@pytest.mark.parametrize(("dim", "modalities"), [(0, ["video"]), (2, []), (2, ["whole"]), (2, ["smell"])])
def test_what_can_have_no_features_is_refused(dim: int, modalities: list[str]) -> None:
    with pytest.raises(ConfigError, match="give 1 number or more, of text, image, video, audio"):
        Features(dim, modalities)
