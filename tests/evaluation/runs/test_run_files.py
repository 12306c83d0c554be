"""Ranked lists on disk: written, read, judged as trec_eval judges."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.evaluation.labels.relevance import relevant
from duretrieval.evaluation.metrics import average_precision, first_rank, mean, ndcg, recall_at_k
from duretrieval.evaluation.metrics.ranking import rank
from duretrieval.evaluation.runs import judge, read_judgements, read_run, top, write_judgements, write_run

RUN = {"q1": {"d2": 0.9, "d1": 0.5, "d7": -1.25e-7}, "q2": {"图片": 3.0}}
JUDGEMENTS = {"q1": {"d1": 2.0, "d9": 1.0, "d2": 0.0}, "q3": {"d1": 1.0}}
SUFFIXES = ["run.txt", "run.jsonl", "run.parquet", "RUN.JSONL"]


@pytest.mark.parametrize("name", SUFFIXES)
def test_there_and_back(tmp_path: Path, name: str) -> None:
    write_run(tmp_path / name, RUN)
    assert read_run(tmp_path / name) == RUN
    write_judgements(tmp_path / name, JUDGEMENTS)
    assert read_judgements(tmp_path / name) == JUDGEMENTS


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
tables = st.dictionaries(ids, st.dictionaries(ids, st.floats(allow_nan=False), min_size=1, max_size=4), max_size=4)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@settings(deadline=None, max_examples=40)
@given(table=tables)
def test_any_id_survives(tmp_path_factory: pytest.TempPathFactory, suffix: str, table: dict) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    write_run(path, table)
    assert read_run(path) == table


def test_the_text_is_what_trec_eval_reads(tmp_path: Path) -> None:
    write_run(tmp_path / "run.txt", RUN)
    assert (tmp_path / "run.txt").read_text(encoding="utf-8").splitlines() == [
        "q1 Q0 d2 1 0.9 duretrieval",
        "q1 Q0 d1 2 0.5 duretrieval",
        "q1 Q0 d7 3 -1.25e-07 duretrieval",
        "q2 Q0 图片 1 3.0 duretrieval",
    ]
    write_judgements(tmp_path / "qrels", JUDGEMENTS)
    assert (tmp_path / "qrels").read_text().splitlines() == ["q1 0 d1 2", "q1 0 d9 1", "q1 0 d2 0", "q3 0 d1 1"]
    with (tmp_path / "run.txt").open() as run, (tmp_path / "qrels").open() as qrels:
        assert pytrec_eval.parse_run(run) == RUN
        assert pytrec_eval.parse_qrel(qrels) == JUDGEMENTS


def test_judged_by_hand() -> None:
    queries, ranks = judge(RUN, JUDGEMENTS)
    assert queries == ("q1", "q3")
    assert first_rank(ranks).tolist() == [2, np.inf]  # q3 was not answered: nothing of it was found
    assert ranks.rank.tolist() == [2, np.inf, np.inf]
    assert ranks.gain.tolist() == [2, 1, 1]


def test_judged_as_trec_eval_does_ties_included() -> None:
    rng = np.random.default_rng(0)
    items = [f"d{i}" for i in range(60)]
    run = {f"q{q:02d}": {d: float(rng.integers(0, 8)) for d in rng.permutation(items)[:40]} for q in range(30)}
    judgements = {f"q{q:02d}": {d: float(rng.integers(0, 3)) for d in rng.permutation(items)[:20]} for q in range(30)}
    judged = {q: {d: int(g) for d, g in row.items()} for q, row in judgements.items()}
    theirs = pytrec_eval.RelevanceEvaluator(judged, {"map", "ndcg", "recall.10"}).evaluate(run)
    queries, ranks = judge(run, judgements)
    for name, values in (
        ("map", average_precision(ranks)),
        ("ndcg", ndcg(ranks)),
        ("recall_10", recall_at_k(ranks, 10)),
    ):
        np.testing.assert_allclose(values, [theirs[q][name] for q in queries], rtol=0, atol=1e-9)
    bounds = [mean(average_precision(judge(run, judgements, ties=ties)[1])) for ties in ("worst", "order", "best")]
    assert bounds[0] < bounds[1] < bounds[2]
    with pytest.raises(ConfigError, match="ties is 'id'; choose 'worst'"):
        judge(run, judgements, ties="id")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["worst", "best"]))
def test_a_matrix_and_its_run_are_judged_alike(seed: int, ties: str) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, (4, 15)).astype(float)
    rows = [{int(j): float(rng.integers(0, 3)) for j in rng.permutation(15)[:6]} for _ in range(4)]
    queries, gallery = [f"q{i}" for i in range(4)], [f"d{j}" for j in range(15)]
    run = top(scores, queries, gallery, 15)
    judged = {query: {gallery[j]: gain for j, gain in row.items()} for query, row in zip(queries, rows, strict=True)}
    _, ranks = judge(run, judged, ties=ties)
    np.testing.assert_array_equal(ranks.rank, rank(scores, relevant(rows), ties=ties).rank)


def test_top_is_the_head_of_a_stable_sort() -> None:
    scores = np.random.default_rng(0).integers(0, 4, (5, 30)).astype(np.float32)
    scores[0, :27] = -np.inf
    gallery = [str(j) for j in range(30)]
    for k in (1, 7, 30, 99):
        run = top(scores, list("abcde"), gallery, k)
        for query, row in zip("abcde", scores, strict=True):
            order = [j for j in np.argsort(-row, kind="stable") if row[j] > -np.inf][:k]
            assert list(run[query].items()) == [(str(j), row[j]) for j in order]
    with pytest.raises(ShapeError, match=r"scores \(5, 30\) need ids for each; got 5 and 1"):
        top(scores, list("abcde"), ["x"], 3)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.txt", "q Q0 d 1 0.5 t\nq Q0 e 2\n", r"a.txt:2: 4 fields, expected 6: query Q0 item rank score tag"),
        ("a.txt", "\nq Q0 d 1 high t\n", r"a.txt:2: score is 'high'; it must be a number"),
        ("a.txt", "q Q0 d 1 1 t\nq Q0 d 2 0 t\n", r"a.txt:2: query 'q' has item 'd' a second time; keep one line"),
        ("a.txt", "q Q0 d 1 nan t\n", r"a.txt:1: the score of 'd' for query 'q' is not a number"),
        ("a.jsonl", '{"query": "q", "item": "d", "score": 1}\n{"query"\n', r"a.jsonl:2: not JSON"),
        ("a.jsonl", '{"query": "q", "item": "d"}\n', r'a.jsonl:1: expected an object such as .*"score": 1'),
        ("a.jsonl", "7\n", r"a.jsonl:1: expected an object"),
        ("a.jsonl", '{"query": "q", "item": "d", "score": true}\n', r"a.jsonl:1: score is True; it must be a number"),
        (
            "a.jsonl",
            '{"query": null, "item": "d", "score": 1}\n',
            r"a.jsonl:1: query and item are ids, .* None is",
        ),
        ("a.jsonl", '{"query": "q", "item": ["d"], "score": 1}\n', r"a.jsonl:1: query and item are ids"),
        ("a.parquet", "hello", r"a.parquet is not a Parquet file"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(EvaluationError, match=reason):
        read_run(tmp_path / name)


def test_further_refusals(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"item 'a b' is empty or has white space in it.*write \.jsonl"):
        write_run(tmp_path / "run.txt", {"q": {"a b": 1.0}})
    with pytest.raises(EvaluationError, match="query '' is empty"):
        write_judgements(tmp_path / "qrels", {"": {"a": 1.0}})
    parquet.write_table(pa.table({"query": ["q"], "doc": ["d"]}), tmp_path / "b.parquet")
    with pytest.raises(EvaluationError, match=r"b.parquet: no column item, gain; it has query, doc"):
        read_judgements(tmp_path / "b.parquet")
    parquet.write_table(
        pa.table({"query": ["q"], "item": ["d"], "gain": pa.array([None], pa.int8())}), tmp_path / "c.parquet"
    )
    with pytest.raises(EvaluationError, match=r"c.parquet, row 1: gain is None; it must be a number"):
        read_judgements(tmp_path / "c.parquet")
    nobody = {"query": ["q"], "item": pa.array([None], pa.string()), "gain": [1]}
    parquet.write_table(pa.table(nobody), tmp_path / "e.parquet")
    with pytest.raises(EvaluationError, match=r"e.parquet, row 1: query and item are ids, text or a number; None is"):
        read_judgements(tmp_path / "e.parquet")
    (tmp_path / "d.txt").write_bytes(b"q Q0 \xff 1 1 t\n")
    with pytest.raises(EvaluationError, match=r"d.txt: not UTF-8 text"):
        read_run(tmp_path / "d.txt")
