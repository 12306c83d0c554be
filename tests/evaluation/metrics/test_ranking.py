"""Ranks from scores: first by eye, then against a slow obvious sort, then the limits."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duretrieval.errors import ConfigError, EvaluationError, ShapeError
from duretrieval.evaluation.labels.relevance import Relevant, SameGroup, SharedLabel, relevant
from duretrieval.evaluation.metrics import average_precision, first_rank, ranking
from duretrieval.evaluation.metrics.blocks import Compared, blocks
from duretrieval.evaluation.metrics.ranking import Ties, per_query, rank
from duretrieval.evaluation.ranks import from_rows, join, ranks_of
from duretrieval.similarity import cosine, unit
from duretrieval.types import Floats, Ints


def slow_ranks(scores: Floats, wanted: list[dict[int, float]], ties: Ties, own: Ints | None) -> list[list[float]]:
    """Sort every row with the policy written out as a sort key."""
    out = []
    for i, row in enumerate(scores):
        gains = {item: gain for item, gain in wanted[i].items() if gain > 0}
        left = [j for j in range(len(row)) if own is None or j != own[i]]
        key = {
            "worst": lambda j, row=row, gains=gains: (-row[j], gains.get(j, 0.0)),
            "best": lambda j, row=row, gains=gains: (-row[j], -gains.get(j, 0.0)),
            "order": lambda j, row=row: (-row[j], j),
        }[ties]
        order = sorted(left, key=key)
        out.append([float(r) if np.isfinite(row[j]) else np.inf for r, j in enumerate(order, 1) if j in gains])
    return out


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, list[dict[int, float]], Ints | None]:
    q, n = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    levels = draw(st.sampled_from([2, 5, 1000]))  # few levels make many ties
    scores = rng.integers(-levels, levels, (q, n)).astype(np.float64)
    if draw(st.booleans()):
        scores[rng.random((q, n)) < 0.1] = -np.inf
    share = draw(st.sampled_from([0.0, 0.1, 0.9]))
    wanted = [{j: float(rng.integers(0, 4)) for j in range(n) if rng.random() < share} for _ in range(q)]
    own = rng.integers(-1, n, q) if draw(st.booleans()) else None
    return scores, wanted, own


@settings(deadline=None, max_examples=300)
@given(problems(), st.sampled_from(["worst", "best", "order"]), st.sampled_from([1, 400, 2**28]))
def test_against_a_slow_sort(
    problem: tuple[Floats, list[dict[int, float]], Ints | None], ties: Ties, block_bytes: int
) -> None:
    scores, wanted, own = problem
    expected = slow_ranks(scores, wanted, ties, own)
    got = rank(scores, relevant(wanted), ties=ties, own=own, block_bytes=block_bytes)
    assert [sorted(got.rank[a:b]) for a, b in zip(got.start, got.start[1:], strict=False)] == expected
    assert got.counts.tolist() == [len(row) for row in expected]
    assert got.gain.sum() == sum(
        gain
        for i, row in enumerate(wanted)
        for item, gain in row.items()
        if gain > 0 and (own is None or item != own[i])
    )


def test_by_hand_with_ties() -> None:
    scores = np.array([[0.5, 0.9, 0.5, 0.5]])
    wanted = relevant([[2]])
    assert rank(scores, wanted, ties="worst").rank == [4]  # behind 0.9 and both other 0.5
    assert rank(scores, wanted, ties="best").rank == [2]
    assert rank(scores, wanted, ties="order").rank == [3]


def test_a_model_that_scores_everything_alike_gains_nothing() -> None:
    alike = rank(np.zeros((3, 100)), relevant([[0], [50], [99]]))
    assert first_rank(alike).tolist() == [100, 100, 100]


def test_within_a_tie_the_worst_order_has_small_gains_first() -> None:
    ranks = rank(np.zeros((1, 3)), relevant([{0: 3.0, 2: 1.0}]))
    assert ranks.rank.tolist() == [2, 3]
    assert ranks.gain.tolist() == [1, 3]


def test_many_relevant_items_are_counted_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 50, (20, 300)).astype(np.float32)
    wanted = relevant([rng.choice(300, size, replace=False) for size in rng.integers(0, 60, 20)])
    by_default = rank(scores, wanted)
    for few in (0, 1000):
        monkeypatch.setattr(ranking, "FEW", few)
        np.testing.assert_array_equal(rank(scores, wanted).rank, by_default.rank)


def test_a_memory_mapped_matrix_and_its_transpose(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    np.save(tmp_path / "scores.npy", scores)
    mapped = np.load(tmp_path / "scores.npy", mmap_mode="r")
    diagonal = relevant([[i] for i in range(30)])
    np.testing.assert_array_equal(rank(mapped.T, diagonal, block_bytes=999).rank, rank(scores.T.copy(), diagonal).rank)
    rank(mapped, relevant([[0]] * 50), own=np.ones(50, np.int64))
    np.testing.assert_array_equal(mapped, scores)  # what is given is never written to


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int8, np.int64, np.bool_])
def test_scores_of_any_type(kind: type) -> None:
    scores = np.array([[0, 1, 1, 0]]).astype(kind)
    assert rank(scores, relevant([[1]])).rank == [2]


def test_embeddings_give_what_their_matrix_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duretrieval.evaluation.metrics.blocks.GALLERY_ROWS", 7)
    monkeypatch.setattr("duretrieval.evaluation.metrics.blocks.STRIPE_BYTES", 500)
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(n, 8)).astype(np.float32) for n in (20, 30))
    wanted = relevant([[i] for i in range(20)])
    np.testing.assert_array_equal(rank(Compared(a, b), wanted).rank, rank(cosine(a, b), wanted).rank)
    np.testing.assert_allclose(Compared(a, b).T[3:5], cosine(b, a)[3:5], atol=1e-6)
    with pytest.raises(ShapeError, match=r"\(20, 8\) and \(30, 4\)"):
        Compared(a, b[:, :4])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_gallery_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, shuffle = rng.integers(0, 5, (4, 20)).astype(float), rng.permutation(20)
    groups = rng.integers(0, 4, 20)
    for ties in ("worst", "best"):
        one = rank(scores, SameGroup(range(4), groups.tolist()), ties=ties)
        other = rank(scores[:, shuffle], SameGroup(range(4), groups[shuffle].tolist()), ties=ties)
        np.testing.assert_array_equal(one.rank, other.rank)


def test_values_per_query_equal_those_from_all_ranks_at_once() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (40, 5))
    scores, wanted = rng.normal(size=(40, 40)), SharedLabel(labels, labels)
    got = per_query({"ap": average_precision}, scores, wanted, own=np.arange(40), block_bytes=1000)
    np.testing.assert_array_equal(got["ap"], average_precision(rank(scores, wanted, own=np.arange(40))))


def test_shared_labels() -> None:
    queries, gallery = np.array([[1, 1, 0], [0, 0, 0]]), np.array([[0, 0, 1], [1, 1, 0], [0, 1, 1]])
    plain = SharedLabel(queries, gallery).rows(0, 2)
    assert plain.item.tolist() == [1, 2]
    assert plain.gain.tolist() == [1, 1]
    assert plain.start.tolist() == [0, 2, 2]
    with pytest.raises(ShapeError, match="one column for each label"):
        SharedLabel(queries, gallery[:, :2])


def test_copies_in_the_gallery_count_one_by_one_and_can_be_said_to_be_relevant() -> None:
    vectors = unit(np.array([[1, 0], [1, 0], [0.6, 0.8]], np.float32))  # rows 0 and 1 are copies
    scores = Compared(vectors[:1], vectors)
    assert rank(scores, relevant([[0]])).rank == [2]  # the copy comes first: which one is found is luck
    assert rank(scores, SameGroup(["a"], ["a", "a", "b"])).rank.tolist() == [1, 2]


def test_no_queries_and_no_relevant_items() -> None:
    nothing = rank(np.zeros((0, 5)), relevant([]))
    assert len(nothing) == 0
    assert average_precision(nothing).tolist() == []
    empty = rank(np.zeros((2, 5)), relevant([[], []]))
    assert np.isnan(average_precision(empty)).all()
    assert len(join([])) == 0


def test_ranks_from_rows_and_from_ids_agree() -> None:
    a = from_rows([[(3, 1.0), (1, 2.0)], [(np.inf, 1.0)]])
    b = ranks_of([["x", "y", "z"], []], [{"x": 2.0, "z": 1.0, "y": 0.0}, {"w"}])
    for one, other in ((a.rank, b.rank), (a.gain, b.gain), (a.start, b.start)):
        np.testing.assert_array_equal(one, other)


def test_every_refusal_says_what_to_do() -> None:
    with pytest.raises(EvaluationError, match=r"query 1 .* \(NaN\); look at its vector"):
        rank(np.array([[0.0], [np.nan]]), relevant([[0], [0]]))
    with pytest.raises(EvaluationError, match=r"gallery row 5 .* rows 0 to 1; are queries and gallery the wrong way"):
        rank(np.zeros((1, 2)), relevant([[5]]))
    with pytest.raises(ShapeError, match="scores are for 2 queries and relevance for 1"):
        rank(np.zeros((2, 2)), relevant([[0]]))
    with pytest.raises(ShapeError, match="scores are for 2 queries and own for 1"):
        rank(np.zeros((2, 2)), relevant([[0], [0]]), own=np.zeros(1, np.int64))
    with pytest.raises(ConfigError, match="ties is 'any'; choose 'worst'"):
        rank(np.zeros((1, 2)), relevant([[0]]), ties="any")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"\(queries, gallery\); got \(3,\)"):
        list(blocks(np.zeros(3)))
    with pytest.raises(ConfigError, match="block_bytes is 0; give at least 1"):
        list(blocks(np.zeros((3, 3)), 0))
    with pytest.raises(ShapeError, match="1 ranked lists for 2 queries"):
        ranks_of([["a"]], [{"a"}, {"b"}])
    with pytest.raises(EvaluationError, match="list of query 0 holds 'a' twice"):
        ranks_of([["b", "a", "a"]], [{"a"}])


def test_relevant_rows_are_a_view_of_the_whole() -> None:
    whole = relevant([[1, 1], {2: 2.0, 3: 0.0}, [], [4]])
    part = whole.rows(1, 4)
    assert isinstance(part, Relevant)
    assert part.item.tolist() == [2, 4]
    assert part.start.tolist() == [0, 1, 1, 2]


def test_memory_is_a_block_however_long_the_gallery(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "gallery.npy", unit(rng.normal(size=(200_000, 8)).astype(np.float32)))
    gallery = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    queries, wanted = np.asarray(gallery[:60]), relevant([[i] for i in range(60)])
    tracemalloc.start()
    ranks = rank(Compared(queries, gallery, np.inner), wanted, block_bytes=2**22)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 2**20  # the matrix would take 46 MB
    assert (ranks.rank == 1).all()
