"""Intervals and tests: by hand, against slow loops, and by simulation: do they keep what they promise?"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.evaluation.statistics.bootstrap import Bootstrap, intervals, paired_bootstrap, replicates, summary
from duretrieval.evaluation.statistics.corrections import benjamini_hochberg, holm
from duretrieval.evaluation.statistics.permutation import permutation_test

FAST = Bootstrap(resamples=400)


def one(values: list[float] | np.ndarray, statistic: str = "mean", settings: Bootstrap = FAST, **options: object):
    return intervals(np.asarray(values, float)[:, None], [statistic], settings, **options)[0]


def test_intervals_of_the_mean_hold_it_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        low, high = one(rng.random(80) < 0.3, settings=Bootstrap(400, 0.9, seed))
        held += low <= 0.3 <= high
    assert 0.83 <= held / 300 <= 0.96


def test_intervals_of_the_median_hold_it() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        low, high = one(rng.exponential(size=81), "median", Bootstrap(300, 0.9, seed))
        held += low <= np.log(2) <= high
    assert 0.83 <= held / 200 <= 0.97


def test_clusters_widen_what_looks_like_many_queries_and_is_few() -> None:
    """Forty pictures with five captions that succeed or fail together: only a cluster bootstrap holds its level."""
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(40), 5)
    held = {"clustered": 0, "naive": 0}
    for seed in range(200):
        values = np.repeat(rng.random(40) < 0.4, 5)
        for name, labels in (("clustered", cluster), ("naive", None)):
            low, high = one(values, settings=Bootstrap(300, 0.9, seed), cluster=labels)
            held[name] += low <= 0.4 <= high
    assert 0.82 <= held["clustered"] / 200 <= 0.97
    assert held["naive"] / 200 < 0.75


def test_the_sign_flip_test_errs_as_often_as_its_level_says() -> None:
    rng = np.random.default_rng(0)
    false = sum(
        permutation_test(*(rng.random((2, 60)) < 0.5).astype(float), resamples=400, seed=i) <= 0.1 for i in range(400)
    )
    assert 0.04 <= false / 400 <= 0.15
    found = sum(
        permutation_test(rng.random(60) + 0.25, rng.random(60), resamples=400, seed=i) <= 0.1 for i in range(50)
    )
    assert found > 45


def test_the_paired_bootstrap_errs_about_as_often() -> None:
    rng = np.random.default_rng(0)
    false = sum(paired_bootstrap(rng.random(80), rng.random(80), Bootstrap(300, seed=i)).p <= 0.1 for i in range(300))
    assert 0.05 <= false / 300 <= 0.17


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.1, 0.2, 1.0]), min_size=1, max_size=8))
def test_the_exact_test_is_all_sign_flips(differences: list[float]) -> None:
    d = np.array(differences)
    sums = [abs(float(np.dot(signs, d))) for signs in product((-1, 1), repeat=len(d))]
    expected = np.mean([total >= abs(d.sum()) - 1e-9 for total in sums])
    assert permutation_test(d, np.zeros(len(d))) == pytest.approx(expected)


def test_the_sampled_test_agrees_with_scipy_and_with_the_exact_one() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(40) + 0.08, rng.random(40)
    theirs = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=20_000, rng=0
    ).pvalue
    assert permutation_test(a, b, resamples=20_000) == pytest.approx(theirs, abs=0.015)
    hits = np.array([1.0] * 20 + [0.0] * 6)  # twenty for, six against: a binomial test
    assert permutation_test(hits, 1 - hits, resamples=40_000) == pytest.approx(
        stats.binomtest(20, 26).pvalue, abs=0.003
    )


def test_medians_are_tested_by_swapping() -> None:
    rng = np.random.default_rng(0)
    ranks = rng.integers(1, 50, 60).astype(float)
    assert permutation_test(ranks, ranks, statistic="median", resamples=200) == 1
    assert permutation_test(ranks + 20, ranks, statistic="median", resamples=500) < 0.02
    ranks[:40] = np.inf
    assert permutation_test(ranks, ranks, statistic="median", resamples=50) == 1


def test_clusters_change_places_together() -> None:
    a = np.array([1.0] * 20)
    cluster = np.repeat([0, 1], 10)
    assert permutation_test(a, 0 * a, cluster=cluster) == 0.5  # two units, four sign patterns, two as extreme
    assert permutation_test(a, 0 * a) < 0.001


def test_the_test_of_folds_is_of_the_mean_over_folds() -> None:
    """One fold of two queries and one of eight: the two weigh as much as the eight."""
    a = np.array([1.0, 1.0] + [0.0] * 8)
    b = np.array([0.0, 0.0] + [0.2] * 8)
    fold = np.array([0, 0] + [1] * 8)
    assert summary(a, "mean", fold) - summary(b, "mean", fold) == pytest.approx(0.4)
    assert paired_bootstrap(a, b, FAST, fold=fold).difference == pytest.approx(0.4)
    d = np.concatenate([np.full(2, 1 / 2), np.full(8, -0.2 / 8)])
    sums = np.array(list(product((-1, 1), repeat=10))) @ d
    assert permutation_test(a, b, fold=fold) == pytest.approx(np.mean(np.abs(sums) >= abs(d.sum()) - 1e-12))


def test_the_same_seed_gives_the_same_figures() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 50))
    assert one(a) == one(a)
    assert one(a) != one(a, settings=Bootstrap(400, seed=1))
    assert paired_bootstrap(a, b, FAST) == paired_bootstrap(a, b, FAST)
    assert permutation_test(a, b, resamples=200) == permutation_test(a, b, resamples=200)


def test_replicates_against_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    values = np.round(rng.random((30, 2)) * 5)
    values[3] = np.nan
    cluster = rng.integers(0, 9, 30)
    got = replicates(values, ["mean", "median"], Bootstrap(50, seed=7), cluster=cluster)
    again, units = np.random.default_rng(7), np.unique(cluster)
    for row in got:
        drawn = [units[i] for i in again.integers(0, len(units), len(units))]
        sample = np.concatenate([values[cluster == unit] for unit in drawn])
        assert row[0] == pytest.approx(np.nanmean(sample[:, 0]))
        assert row[1] == pytest.approx(np.nanmedian(sample[:, 1]))


def test_missing_and_infinite_values() -> None:
    assert np.isnan(one([np.nan, np.nan])).all()
    assert one([1.0, np.nan, 1.0]) == (1, 1)
    low, high = one([1.0] * 30 + [np.inf])
    assert (low, high) == (1, np.inf)
    assert one([1.0, 2.0, 2.0, np.inf], "median").high == np.inf
    assert len(intervals(np.zeros((0, 1)), ["mean"], FAST)) == 1
    assert permutation_test(np.array([np.nan, 1.0]), np.array([np.nan, 1.0])) == 1


probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(probabilities)
def test_corrections_against_others_and_their_laws(p: list[float]) -> None:
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), atol=1e-12)
    adjusted = holm(p)
    # the definition, in words: the i-th smallest is significant while it and all smaller are below level / (m - i)
    for level in (0.01, 0.05, 0.3):
        rejected, m = set(), len(p)
        for step, i in enumerate(np.argsort(p, kind="stable")):
            if p[i] * (m - step) > level:
                break
            rejected.add(int(i))
        assert rejected == set(np.flatnonzero(adjusted <= level).tolist())
    assert (adjusted >= benjamini_hochberg(p) - 1e-12).all()


def test_every_refusal_says_what_to_do() -> None:
    a = np.zeros(3)
    with pytest.raises(ConfigError, match="resamples is 0; give at least 1"):
        Bootstrap(resamples=0)
    with pytest.raises(ConfigError, match="level is 95; give a share between 0 and 1"):
        Bootstrap(level=95)
    with pytest.raises(ShapeError, match="cluster has 2 labels for 3 queries"):
        one(a, cluster=np.zeros(2, np.int64))
    with pytest.raises(ShapeError, match="cluster has 2 labels for 3 queries"):
        permutation_test(a, a, cluster=np.zeros(2, np.int64))
    with pytest.raises(ShapeError, match="one statistic for each column; got 2"):
        intervals(a[:, None], ["mean", "mean"])
    with pytest.raises(ShapeError, match=r"two of shape \(q,\); got \(3,\) and \(2,\)"):
        permutation_test(a, a[:2])
    with pytest.raises(EvaluationError, match="query 1 has a value in one run only"):
        paired_bootstrap(a, np.array([0, np.nan, 0]))
    with pytest.raises(EvaluationError, match=r"infinite value cannot be compared.*rank the whole gallery"):
        permutation_test(a, np.array([0, np.inf, 0]))
    with pytest.raises(EvaluationError, match="p values lie between 0 and 1"):
        holm([0.1, np.nan])
