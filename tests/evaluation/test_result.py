"""Results: kept without loss, compared by query, and a gate that stops for a real loss only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from duretrieval.errors import ConfigError, EvaluationError
from duretrieval.evaluation.comparison import compare, gate, losses
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.measures import measure, measures
from duretrieval.evaluation.ranks import from_rows
from duretrieval.evaluation.result import Evaluation, Provenance
from duretrieval.evaluation.result_json import from_json, load, save, to_json
from duretrieval.evaluation.scoring import score_matrix, score_values
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.types import Floats, Modality

FAST = Bootstrap(resamples=200)
NAMES = ("hit@1", "hit@5", "rr", "median-rank", "mean-rank")


def evaluated(noise: float, seed: int = 0, n: int = 120) -> Evaluation:
    rng = np.random.default_rng(seed)
    scores = np.eye(n) + noise * np.random.default_rng(99).normal(size=(n, n)) + 0.05 * rng.normal(size=(n, n))
    pair = score_matrix(
        scores,
        relevant([[i] for i in range(n)]),
        measures(NAMES),
        Modality.TEXT,
        Modality.IMAGE,
        queries=[f"q{i}" for i in range(n)],
        bootstrap=FAST,
    )
    return Evaluation("toy", (pair,), {"rsum": 1.5}, provenance=Provenance("f00", "da7a", "duretrieval …", "0.1.0"))


def with_values(values: Floats, names: tuple[str, ...] = ("hit@1",)) -> Evaluation:
    pair = score_values(
        dict.fromkeys(names, values),
        measures(names),
        Modality.TEXT,
        Modality.AUDIO,
        queries=[str(i) for i in range(len(values))],
        gallery_size=9,
        bootstrap=FAST,
    )
    return Evaluation("made", (pair,))


def test_json_there_and_back_changes_nothing(tmp_path: Path) -> None:
    evaluation = evaluated(0.3)
    pair = replace(evaluation.pairs[0], cluster=np.arange(120) // 5, fold=np.arange(120) // 60)
    odd = with_values(np.array([np.nan, np.inf, 3.0]), ("mean-rank",)).pairs
    evaluation = replace(evaluation, pairs=(pair, *odd))
    save(evaluation, tmp_path / "run.json")
    again = load(tmp_path / "run.json")
    assert to_json(again) == to_json(evaluation)
    assert again.provenance == evaluation.provenance
    assert again.pairs[1].scores[0].value == np.inf
    np.testing.assert_array_equal(again.pairs[1].scores[0].values, [np.nan, np.inf, 3.0])
    np.testing.assert_array_equal(again.pairs[0].cluster, pair.cluster)


def test_figures_are_the_mean_of_the_values_that_are_kept() -> None:
    for score in evaluated(0.3).pairs[0].scores:
        summary = np.median if score.measure == "median-rank" else np.mean
        assert score.value == summary(score.values)
        assert score.low <= score.value <= score.high


def test_never_and_always_still_have_an_interval() -> None:
    """0 of 20 is not proof of 0: the exact binomial bound, 1 - 0.025^(1/20)."""
    never, always = (with_values(np.full(20, value)).pairs[0].scores[0] for value in (0.0, 1.0))
    assert (never.low, never.high) == (0, pytest.approx(0.16843, abs=1e-5))
    assert (always.low, always.high) == (pytest.approx(0.83157, abs=1e-5), 1)
    ranks = with_values(np.full(20, 1.0), ("mean-rank",)).pairs[0].scores[0]
    assert (ranks.low, ranks.high) == (1, 1)


def test_a_real_loss_is_found_and_noise_is_not() -> None:
    good, same, bad = evaluated(0.2), evaluated(0.2, seed=1), evaluated(0.45)
    assert not gate(compare(same, good, bootstrap=FAST, resamples=500))
    lost = compare(bad, good, bootstrap=FAST, resamples=500)
    assert gate(lost)
    assert {d.measure for d in losses(lost)} >= {"hit@1", "rr", "mean-rank"}
    gained = compare(good, bad, bootstrap=FAST, resamples=500)
    assert not gate(gained)
    assert any(d.significant and d.better for d in gained)
    for d in lost:
        assert d.difference == pytest.approx(d.new - d.old)
        assert d.low <= d.difference <= d.high
        assert d.adjusted >= d.p
    for d, e in zip(lost, gained, strict=True):
        assert d.difference == pytest.approx(-e.difference)


def test_a_run_against_itself_differs_in_nothing() -> None:
    one = evaluated(0.3)
    for d in compare(one, one, bootstrap=FAST, resamples=100, correction="benjamini-hochberg"):
        assert (d.difference, d.p, d.significant, d.better) == (0, 1, False, False)


def test_many_comparisons_are_corrected() -> None:
    """Twenty metrics of pure noise: uncorrected, one in twenty would stop the build; corrected, none does."""
    rng = np.random.default_rng(0)
    names = tuple(f"hit@{k}" for k in range(1, 21))
    columns = [{name: (rng.random(200) < 0.5).astype(float) for name in names} for _ in range(2)]
    runs = []
    for values in columns:
        pair = score_values(
            values, measures(names), Modality.TEXT, Modality.IMAGE, queries=list(map(str, range(200))), gallery_size=9
        )
        runs.append(Evaluation("noise", (pair,)))
    found = compare(*runs, bootstrap=FAST, resamples=1000)
    assert min(d.p for d in found) < 0.2
    assert not any(d.significant for d in found)


def test_queries_are_matched_by_id() -> None:
    a = evaluated(0.3)
    pair = a.pairs[0]
    turned = replace(
        pair,
        queries=pair.queries[::-1],
        scores=tuple(replace(score, values=score.values[::-1]) for score in pair.scores),
    )
    assert all(d.p == 1 for d in compare(a, replace(a, pairs=(turned,)), bootstrap=FAST, resamples=50))


def test_measures_by_name() -> None:
    ranks = from_rows([[(2, 1.0), (4, 3.0)]])
    values = {
        "hit@1": 0,
        "recall@2": 0.5,
        "precision@4": 0.5,
        "ap": 0.5,
        "ap@2": 0.25,
        "ap@r": 0.25,
        "ap-reachable@1": 0,
        "ap-found@2": 0.5,
        "rr": 0.5,
        "rr@1": 0,
        "r-precision": 0.5,
        "median-rank": 2,
        "mean-rank": 2,
    }
    for name, value in values.items():
        assert measure(name).name == name
        assert measure(name).of(ranks).tolist() == [value], name
    assert measure("ndcg@10").of(ranks) < measure("ndcg@10").of(from_rows([[(2, 3.0), (4, 1.0)]]))
    assert measure("ndcg-exponential").of(ranks) != measure("ndcg").of(ranks)


@pytest.mark.parametrize("name", ["hit", "hit@0", "recal@5", "hit@5x", "ap@r2", "", "ap-reachable"])
def test_unknown_measures_are_refused_with_a_list(name: str) -> None:
    with pytest.raises(ConfigError, match=f"no metric called '{name}'; there are hit@K, recall@K, .*median-rank"):
        measure(name)


def test_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    a = evaluated(0.3)
    with pytest.raises(EvaluationError, match="text-image was not measured by 'ap'; there are hit@1, hit@5"):
        a.pairs[0].score("ap")
    with pytest.raises(EvaluationError, match="toy has no pair 'image-text'; there are text-image"):
        a.pair("image-text")
    with pytest.raises(
        EvaluationError, match="share no pair of modalities and metric; evaluate both with one protocol"
    ):
        compare(a, with_values(np.ones(3)))
    with pytest.raises(EvaluationError, match=r"not asked the same: text-image has 120 queries .* 80 in 80 there"):
        compare(a, evaluated(0.3, n=80))
    with pytest.raises(ConfigError, match="correction is 'none'; choose 'holm'"):
        compare(a, a, correction="none")  # type: ignore[arg-type]
    with pytest.raises(EvaluationError, match="leave mean ranks out"):
        compare(*[with_values(np.array([1.0, np.inf]), ("mean-rank",))] * 2)
    for text, reason in (
        ("{", "not an evaluation written by duretrieval"),
        ("[]", "not an evaluation"),
        ('{"format": 2}', "has format 2; this version reads format 1"),
        ('{"format": 1}', "KeyError: 'name'"),
    ):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(EvaluationError, match=f"run.json.*{reason}"):
            load(tmp_path / "run.json")
        with pytest.raises(EvaluationError, match="the text"):
            from_json(text)
