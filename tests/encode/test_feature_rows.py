"""Features of films that were computed elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from duretrieval.encode.features import Features
from duretrieval.errors import ShapeError
from duretrieval.types import Modality, Part


def test_the_mean_over_time_is_made_unit() -> None:
    (row,) = Features(2).encode([Part(Modality.VIDEO, np.array([[6, 0], [0, 8]]))])
    np.testing.assert_allclose(row, [0.6, 0.8], atol=1e-6)


def test_half_precision_does_not_overflow() -> None:
    (row,) = Features(2).encode([Part(Modality.VIDEO, np.full((300, 2), 60_000, np.float16))])
    np.testing.assert_allclose(row, [0.5**0.5, 0.5**0.5], atol=1e-6)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (np.array([["a", "b"]]), r"\(1, 2\) <U1"),
        (np.array([[None, None]]), r"\(1, 2\) object"),
        (np.zeros((0, 2)), r"\(0, 2\) float64"),
        (np.zeros(2), r"\(2,\) float64"),
        ("a film", "str"),
    ],
)
def test_what_is_no_features_is_refused(content: object, got: str) -> None:
    with pytest.raises(ShapeError, match=r"expected features of shape \(t, 2\), t at least 1; got " + got):
        Features(2).encode([Part(Modality.VIDEO, content)])  # type: ignore[arg-type]
