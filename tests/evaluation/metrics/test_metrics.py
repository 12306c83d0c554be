"""What the metrics mean at the edges, and every example in the package and in docs/metrics.md."""

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import duretrieval.evaluation
from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.evaluation import metrics
from duretrieval.evaluation.labels.relevance import SharedLabel
from duretrieval.evaluation.metrics import hashing
from duretrieval.evaluation.ranks import Ranks, from_rows

MODULES = [module.name for module in pkgutil.walk_packages(duretrieval.evaluation.__path__, "duretrieval.evaluation.")]
PER_QUERY = {
    "hit": lambda ranks: metrics.hit_at_k(ranks, 3),
    "recall": lambda ranks: metrics.recall_at_k(ranks, 3),
    "precision": lambda ranks: metrics.precision_at_k(ranks, 3),
    "r": metrics.r_precision,
    "ap": metrics.average_precision,
    "ap@r": metrics.average_precision_at_r,
    "rr": metrics.reciprocal_rank,
    "ndcg": metrics.ndcg,
}


@pytest.mark.parametrize("name", ["duretrieval.evaluation", *MODULES])
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.failed == 0


def test_examples_in_the_document() -> None:
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 25
    assert result.failed == 0


@pytest.mark.parametrize("name", PER_QUERY)
def test_a_query_without_relevant_items_has_no_value_and_is_left_out(name: str) -> None:
    values = PER_QUERY[name](from_rows([[(1, 1.0)], []]))
    assert values[0] == pytest.approx(1 if name != "precision" else 1 / 3)
    assert np.isnan(values[1])
    assert metrics.mean(values) == values[0]


@pytest.mark.parametrize("name", PER_QUERY)
def test_nothing_retrieved_is_zero(name: str) -> None:
    assert PER_QUERY[name](from_rows([[(np.inf, 1.0), (np.inf, 2.0)]])) == [0]


lists = st.lists(st.sets(st.integers(1, 30), max_size=8), min_size=1, max_size=5)


def binary(places: list[set[int]]) -> Ranks:
    return from_rows([[(place, 1.0) for place in row] for row in places])


@settings(deadline=None)
@given(lists, st.sampled_from(sorted(PER_QUERY)))
def test_values_are_shares_and_a_perfect_list_is_best(places: list[set[int]], name: str) -> None:
    values, best = (PER_QUERY[name](binary(p)) for p in (places, [set(range(1, len(row) + 1)) for row in places]))
    some = ~np.isnan(values)
    assert ((values[some] >= 0) & (values[some] <= 1 + 1e-12)).all()
    assert (values[some] <= best[some] + 1e-12).all()


@settings(deadline=None)
@given(lists, st.sampled_from(sorted(PER_QUERY)))
def test_moving_a_relevant_item_up_never_hurts(places: list[set[int]], name: str) -> None:
    def up(row: set[int]) -> set[int]:
        movable = [place for place in row if place > 1 and place - 1 not in row]
        return row - set(movable[:1]) | {place - 1 for place in movable[:1]}

    before, after = PER_QUERY[name](binary(places)), PER_QUERY[name](binary([up(row) for row in places]))
    some = ~np.isnan(before)
    assert (after[some] >= before[some] - 1e-12).all()


def test_with_one_relevant_item_several_metrics_are_one() -> None:
    ranks = from_rows([[(4, 1.0)], [(1, 1.0)]])
    np.testing.assert_array_equal(metrics.average_precision(ranks), metrics.reciprocal_rank(ranks))
    np.testing.assert_array_equal(metrics.hit_at_k(ranks, 3), metrics.recall_at_k(ranks, 3))
    np.testing.assert_array_equal(metrics.r_precision(ranks), metrics.hit_at_k(ranks, 1))


def test_map_at_k_of_a_perfect_list_needs_a_reachable_divisor() -> None:
    perfect = binary([set(range(1, 21))])
    assert metrics.average_precision(perfect, 10) == [0.5]
    assert metrics.average_precision(perfect, 10, over="reachable") == [1]
    assert metrics.average_precision(perfect, 10, over="found") == [1]
    one_then_nothing = from_rows([[(1, 1.0), *[(100.0 + i, 1.0) for i in range(19)]]])
    assert metrics.average_precision(one_then_nothing, 10, over="found") == [1]
    assert metrics.average_precision(one_then_nothing, 10, over="reachable") == [0.1]


def test_medians_and_means_of_ranks() -> None:
    first = metrics.first_rank(from_rows([[(1, 1.0)], [(4, 1.0)], [], [(np.inf, 1.0)]]))
    assert metrics.median(first) == 4
    assert metrics.mean(first) == np.inf
    assert metrics.median(np.array([1.0, 2.0])) == 1.5
    assert metrics.median(np.array([np.inf, np.inf])) == np.inf
    assert np.isnan(metrics.median(np.array([np.nan])))
    assert np.isnan(metrics.mean(np.array([])))
    assert metrics.rsum([1.0] * 6) == 600


def test_class_map_against_the_published_loop() -> None:
    """DCMH's calculation, written out: for each query sort by distance, mean of hit number over its rank."""
    rng = np.random.default_rng(0)
    a, b = np.sign(rng.normal(size=(30, 16))), np.sign(rng.normal(size=(200, 16)))
    la, lb = rng.integers(0, 2, (30, 4)), rng.integers(0, 2, (200, 4))
    la[0] = 0
    for k in (None, 20):
        values = []
        for code, label in zip(a, la, strict=True):
            distance = 0.5 * (16 - code @ b.T)
            right = ((label @ lb.T) > 0)[np.argsort(distance, kind="stable")]
            if not right.any():
                continue
            places = np.flatnonzero(right[:k]) + 1.0
            values.append(np.mean(np.arange(1, len(places) + 1) / places) if len(places) else 0.0)
        assert hashing.class_map(a, b, SharedLabel(la, lb), k) == pytest.approx(np.mean(values), abs=1e-12)
    worst, best = (hashing.class_map(a, b, SharedLabel(la, lb), ties=ties) for ties in ("worst", "best"))
    assert worst < hashing.class_map(a, b, SharedLabel(la, lb)) < best
    with pytest.raises(ShapeError, match="one column a bit"):
        hashing.class_map(a, b[:, :8], SharedLabel(la, lb))


def test_every_refusal_says_what_to_do() -> None:
    ranks = from_rows([[(1, 1.0)]])
    for metric in (metrics.hit_at_k, metrics.recall_at_k, metrics.precision_at_k, metrics.average_precision):
        with pytest.raises(ConfigError, match="k is 0; give the number of results"):
            metric(ranks, 0)
    for metric in (metrics.ndcg, metrics.reciprocal_rank):
        with pytest.raises(ConfigError, match="k is -1"):
            metric(ranks, -1)
    with pytest.raises(ConfigError, match="over is 'all'; choose 'relevant'"):
        metrics.average_precision(ranks, 3, over="all")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="gain is 'square'; choose 'linear'"):
        metrics.ndcg(ranks, 3, gain="square")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="average is 'weighted'; choose 'micro'"):
        metrics.f1(metrics.decisions([1], [1]), "weighted")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"true has shape \(2,\) and given \(1,\)"):
        metrics.accuracy([1, 2], [1])
    with pytest.raises(EvaluationError, match="no items to judge"):
        metrics.accuracy([], [])
