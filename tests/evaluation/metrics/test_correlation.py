"""Correlations are scipy's, with ties; of a constant there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from duretrieval.evaluation.metrics.correlation import correlations, pearson, spearman


@pytest.mark.parametrize("n", [2, 3, 50, 501])
def test_they_are_those_of_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    scores = np.arange(n) % 6 / 5  # many ties
    given = np.round(np.exp(3 * scores) + rng.normal(size=n), 1).astype(np.float32)
    assert spearman(given, scores) == pytest.approx(stats.spearmanr(given, scores).statistic, abs=1e-9)
    assert pearson(given, scores) == pytest.approx(stats.pearsonr(given.astype(float), scores).statistic, abs=1e-9)


def test_by_hand() -> None:
    assert spearman(np.array([1.0, 5.0, 2.0]), np.array([0.0, 0.5, 1.0])) == pytest.approx(0.5)  # 1 - 6·2 / (3·8)
    assert correlations(np.array([3.0, 2.0, 1.0]), np.array([0.0, 0.5, 1.0])) == {"spearman": -1.0, "pearson": -1.0}
    assert correlations(np.array([1.0, 2.0]), np.array([0.5, 0.5])) == {}
    assert correlations(np.zeros(0), np.zeros(0)) == {}
