"""Every metric against at least two implementations that others wrote, to 1e-9, on random cases.

pytrec_eval is trec_eval in C; scikit-learn computes from labels and scores. ranx and torchmetrics are asked too where
they are installed (they are too large to ask for).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import pytrec_eval
from sklearn import metrics as sk

from duretrieval.evaluation import metrics
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.metrics.ranking import rank
from duretrieval.evaluation.ranks import Ranks
from duretrieval.types import Floats

CLOSE = {"rtol": 0, "atol": 1e-9}
KS = (1, 3, 10, 50)


@dataclass(frozen=True)
class Case:
    """Random graded relevance with distinct scores; every query has a relevant item."""

    scores: Floats
    gains: Floats

    @property
    def ranks(self) -> Ranks:
        return rank(self.scores, relevant([dict(enumerate(row)) for row in self.gains]))


@pytest.fixture(scope="module", params=range(6))
def case(request: pytest.FixtureRequest) -> Case:
    rng = np.random.default_rng(request.param)
    q, n = 25, int(rng.integers(60, 200))
    gains = np.where(rng.random((q, n)) < rng.choice([0.02, 0.1, 0.6]), rng.integers(1, 4, (q, n)), 0)
    gains[np.arange(q), rng.integers(0, n, q)] = 1
    signal = rng.random((q, n)) + 0.3 * gains
    scores = np.argsort(np.argsort(signal, axis=1), axis=1)  # a permutation: distinct, exactly representable
    return Case(scores.astype(np.float64), gains.astype(np.float64))


def trec(case: Case, measure: str) -> Floats:
    qrel = {f"{i:03d}": {str(j): int(g) for j, g in enumerate(row)} for i, row in enumerate(case.gains)}
    run = {f"{i:03d}": {str(j): float(s) for j, s in enumerate(row)} for i, row in enumerate(case.scores)}
    name = measure.replace(".", "_")
    got = pytrec_eval.RelevanceEvaluator(qrel, {measure}).evaluate(run)
    return np.array([got[query][name] for query in sorted(got)])


def each(case: Case, function: Callable[[Floats, Floats], float]) -> Floats:
    return np.array([function(g, s) for g, s in zip(case.gains, case.scores, strict=True)])


def first_k(scores: Floats, k: int) -> Floats:
    """1 for the k best scored, 0 for the rest."""
    given = np.zeros(len(scores))
    given[np.argsort(-scores)[:k]] = 1
    return given


@pytest.mark.parametrize("k", KS)
def test_at_k(case: Case, k: int) -> None:
    hit, recall = metrics.hit_at_k(case.ranks, k), metrics.recall_at_k(case.ranks, k)
    np.testing.assert_allclose(hit, trec(case, f"success.{k}"), **CLOSE)
    np.testing.assert_allclose(hit, each(case, lambda g, s: float((first_k(s, k) * g).any())), **CLOSE)
    np.testing.assert_allclose(recall, trec(case, f"recall.{k}"), **CLOSE)
    np.testing.assert_allclose(recall, each(case, lambda g, s: sk.recall_score(g > 0, first_k(s, k))), **CLOSE)
    precision = metrics.precision_at_k(case.ranks, k)
    np.testing.assert_allclose(precision, trec(case, f"P.{k}"), **CLOSE)
    np.testing.assert_allclose(precision, each(case, lambda g, s: sk.precision_score(g > 0, first_k(s, k))), **CLOSE)


@pytest.mark.parametrize("k", KS)
def test_hit_at_k_with_one_relevant_item_is_top_k_accuracy(case: Case, k: int) -> None:
    right = np.argmax(case.gains, axis=1)
    hit = metrics.hit_at_k(rank(case.scores, relevant([[j] for j in right])), k)
    expected = sk.top_k_accuracy_score(right, case.scores, k=k, labels=np.arange(case.scores.shape[1]))
    assert metrics.mean(hit) == pytest.approx(expected, abs=1e-9)


def test_r_precision(case: Case) -> None:
    got = metrics.r_precision(case.ranks)
    np.testing.assert_allclose(got, trec(case, "Rprec"), **CLOSE)
    at_r = each(case, lambda g, s: sk.precision_score(g > 0, first_k(s, int((g > 0).sum()))))
    np.testing.assert_allclose(got, at_r, **CLOSE)


def test_average_precision(case: Case) -> None:
    got = metrics.average_precision(case.ranks)
    np.testing.assert_allclose(got, trec(case, "map"), **CLOSE)
    np.testing.assert_allclose(got, each(case, lambda g, s: sk.average_precision_score(g > 0, s)), **CLOSE)


@pytest.mark.parametrize("k", KS)
def test_average_precision_with_cut_off(case: Case, k: int) -> None:
    np.testing.assert_allclose(metrics.average_precision(case.ranks, k), trec(case, f"map_cut.{k}"), **CLOSE)

    def found(gains: Floats, scores: Floats) -> float:
        head = np.argsort(-scores)[:k]
        return float(sk.average_precision_score(gains[head] > 0, scores[head])) if gains[head].any() else 0.0

    got = metrics.average_precision(case.ranks, k, over="found")
    np.testing.assert_allclose(got, each(case, found), **CLOSE)
    # the three divisors turn into one another
    hits, total = metrics.precision_at_k(case.ranks, k) * k, case.ranks.counts
    reachable = metrics.average_precision(case.ranks, k, over="reachable")
    np.testing.assert_allclose(got * hits, reachable * np.minimum(total, k), **CLOSE)
    np.testing.assert_allclose(got * hits, trec(case, f"map_cut.{k}") * total, **CLOSE)


def test_average_precision_at_r(case: Case) -> None:
    got = metrics.average_precision_at_r(case.ranks)
    for i, r in enumerate(case.ranks.counts):
        assert got[i] == pytest.approx(trec(case, f"map_cut.{r}")[i], abs=1e-9)


@pytest.mark.parametrize("k", KS)
def test_ndcg(case: Case, k: int) -> None:
    linear = metrics.ndcg(case.ranks, k)
    np.testing.assert_allclose(linear, trec(case, f"ndcg_cut.{k}"), **CLOSE)
    np.testing.assert_allclose(linear, each(case, lambda g, s: sk.ndcg_score([g], [s], k=k)), **CLOSE)
    exponential = metrics.ndcg(case.ranks, k, gain="exponential")
    np.testing.assert_allclose(exponential, each(case, lambda g, s: sk.ndcg_score([2**g - 1], [s], k=k)), **CLOSE)
    binary = Case(case.scores, (case.gains > 0).astype(float))
    np.testing.assert_allclose(metrics.ndcg(binary.ranks, k), trec(binary, f"ndcg_cut.{k}"), **CLOSE)


def test_ndcg_without_cut_off(case: Case) -> None:
    np.testing.assert_allclose(metrics.ndcg(case.ranks), trec(case, "ndcg"), **CLOSE)
    np.testing.assert_allclose(metrics.ndcg(case.ranks), each(case, lambda g, s: sk.ndcg_score([g], [s])), **CLOSE)


def test_reciprocal_rank(case: Case) -> None:
    np.testing.assert_allclose(metrics.reciprocal_rank(case.ranks), trec(case, "recip_rank"), **CLOSE)
    right = np.argmax(case.gains, axis=1)
    single = rank(case.scores, relevant([[j] for j in right]))
    one_hot = np.eye(case.scores.shape[1])[right]
    expected = sk.label_ranking_average_precision_score(one_hot, case.scores)
    assert metrics.mean(metrics.reciprocal_rank(single)) == pytest.approx(expected, abs=1e-9)
    # coverage error is the depth at which the last true label is reached: with one label, its rank
    assert metrics.mean(metrics.first_rank(single)) == pytest.approx(sk.coverage_error(one_hot, case.scores), abs=1e-9)
    np.testing.assert_allclose(metrics.first_rank(case.ranks), 1 / trec(case, "recip_rank"), rtol=0, atol=1e-6)


@pytest.mark.parametrize("average", ["micro", "macro"])
@pytest.mark.parametrize("seed", range(5))
def test_classification(average: metrics.classification.Average, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for true, given in (
        (rng.integers(0, 5, 200), rng.integers(0, 6, 200)),  # class 5 never occurs
        (rng.integers(0, 2, (200, 4)), rng.integers(0, 2, (200, 4))),
    ):
        counts = metrics.decisions(true, given)
        options = {"average": average, "zero_division": 0}
        for ours, theirs in (
            (metrics.precision, sk.precision_score),
            (metrics.recall, sk.recall_score),
            (metrics.f1, sk.f1_score),
        ):
            assert ours(counts, average) == pytest.approx(theirs(true, given, **options), abs=1e-9)
        assert metrics.accuracy(true, given) == pytest.approx(sk.accuracy_score(true, given), abs=1e-9)


def test_sets_as_trec_eval_judges_them(case: Case) -> None:
    retrieved = case.scores >= np.quantile(case.scores, 0.8, axis=1, keepdims=True)
    chosen = {f"{i:03d}": {str(j): 1.0 for j in np.flatnonzero(row)} for i, row in enumerate(retrieved)}
    qrel = {f"{i:03d}": {str(j): int(g > 0) for j, g in enumerate(row)} for i, row in enumerate(case.gains)}
    judged = pytrec_eval.RelevanceEvaluator(qrel, {"set_P", "set_recall", "set_F"}).evaluate(chosen)
    counts = metrics.decisions((case.gains > 0).T, retrieved.T)  # a query is a class, an item has any number of them
    for ours, name in ((metrics.precision, "set_P"), (metrics.recall, "set_recall"), (metrics.f1, "set_F")):
        assert ours(counts) == pytest.approx(np.mean([row[name] for row in judged.values()]), abs=1e-9)


@pytest.mark.slow  # it compiles itself first
@pytest.mark.filterwarnings("ignore")
def test_ranx(case: Case) -> None:
    ranx = pytest.importorskip("ranx", exc_type=ImportError)
    qrels = ranx.Qrels(
        {f"{i:03d}": {str(j): int(g) for j, g in enumerate(row) if g} for i, row in enumerate(case.gains)}
    )
    run = ranx.Run({f"{i:03d}": {str(j): float(s) for j, s in enumerate(row)} for i, row in enumerate(case.scores)})
    ours = {
        "hit_rate@3": metrics.hit_at_k(case.ranks, 3),
        "recall@10": metrics.recall_at_k(case.ranks, 10),
        "precision@10": metrics.precision_at_k(case.ranks, 10),
        "r-precision": metrics.r_precision(case.ranks),
        "map": metrics.average_precision(case.ranks),
        "map@10": metrics.average_precision(case.ranks, 10),
        "mrr": metrics.reciprocal_rank(case.ranks),
        "mrr@3": metrics.reciprocal_rank(case.ranks, 3),
        "ndcg@10": metrics.ndcg(case.ranks, 10),
        "ndcg_burges@10": metrics.ndcg(case.ranks, 10, gain="exponential"),
    }
    theirs = ranx.evaluate(qrels, run, list(ours), threads=1)
    for name, values in ours.items():
        assert metrics.mean(values) == pytest.approx(theirs[name], abs=1e-9), name


def test_torchmetrics(case: Case) -> None:
    torch = pytest.importorskip("torch")
    retrieval = pytest.importorskip("torchmetrics.functional.retrieval")
    ours = {
        "retrieval_hit_rate": metrics.hit_at_k(case.ranks, 10),
        "retrieval_recall": metrics.recall_at_k(case.ranks, 10),
        "retrieval_precision": metrics.precision_at_k(case.ranks, 10),
        "retrieval_reciprocal_rank": metrics.reciprocal_rank(case.ranks, 10),
    }
    for name, values in ours.items():
        function = getattr(retrieval, name)
        for i in range(len(values)):
            scores, gains = torch.tensor(case.scores[i]), torch.tensor(case.gains[i] > 0)
            assert values[i] == pytest.approx(float(function(scores, gains, top_k=10)), abs=1e-6), name  # float32
