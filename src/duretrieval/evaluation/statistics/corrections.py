"""Many comparisons at once: adjusted p values, to be held against the level one would use for a single test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from duretrieval.errors import EvaluationError
from duretrieval.types import Floats


def holm(p: Sequence[float]) -> Floats:
    """Adjusted so that one false finding among all has at most the level's probability (Holm 1979).

    In rising order, p_i becomes max over j <= i of (m - j + 1) p_j, at most 1.

    >>> holm([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.06, 0.06])

    Raises:
        EvaluationError: a value is not a probability.
    """
    values, order = _sorted(p)
    steps = np.arange(len(values), 0, -1)
    return _unsorted(np.maximum.accumulate(steps * values), order)


def benjamini_hochberg(p: Sequence[float]) -> Floats:
    """Adjusted so that false findings are at most the level's share of all findings (Benjamini and Hochberg 1995).

    In rising order, p_i becomes min over j >= i of (m / j) p_j.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.04, 0.04])

    Raises:
        EvaluationError: a value is not a probability.
    """
    values, order = _sorted(p)
    m = len(values)
    scaled = values * m / np.arange(1, m + 1)
    return _unsorted(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _sorted(p: Sequence[float]) -> tuple[Floats, npt.NDArray[np.intp]]:
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise EvaluationError(f"p values lie between 0 and 1; got {list(p)}")
    order = np.argsort(values, kind="stable")
    return values[order], order


def _unsorted(values: Floats, order: npt.NDArray[np.intp]) -> Floats:
    out = np.empty(len(values))
    out[order] = np.minimum(values, 1)
    return out
