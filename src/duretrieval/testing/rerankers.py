"""The laws of a `Reranker` and of a `Scorer`, as tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.protocols import Reranker, Scorer
from duretrieval.types import Array, Hit, Query

CLOSE = 1e-5


class RerankerSuite:
    """Subclass it, define `make`, `query` and `hits`; every test below then runs on your re-ranker."""

    def make(self) -> Reranker:
        raise NotImplementedError("return the re-ranker under test")

    def query(self) -> Query:
        raise NotImplementedError("return a query that the hits could answer")

    def hits(self) -> Sequence[Hit]:
        raise NotImplementedError("return at least five hits, best first, which the re-ranker orders otherwise")

    def test_satisfies_the_protocol(self) -> None:
        assert isinstance(self.make(), Reranker)

    def test_the_same_items_go_out(self) -> None:
        hits = self.hits()
        assert len(hits) >= 5
        out = self.make()(self.query(), hits)
        assert sorted(hit.item.id for hit in out) == sorted(hit.item.id for hit in hits)
        assert all(hit.evidence for hit in out)

    def test_in_another_order(self) -> None:
        hits = self.hits()
        assert [hit.item.id for hit in self.make()(self.query(), hits)] != [hit.item.id for hit in hits]

    def test_scores_never_rise(self) -> None:
        scores = [hit.score for hit in self.make()(self.query(), self.hits())]
        assert scores == sorted(scores, reverse=True)

    def test_the_order_of_the_candidates_does_not_matter(self) -> None:
        rerank, hits = self.make(), list(self.hits())
        expected = [hit.item.id for hit in rerank(self.query(), hits)]
        for shuffled in (hits[::-1], hits[2:] + hits[:2]):
            assert [hit.item.id for hit in rerank(self.query(), shuffled)] == expected

    def test_the_candidates_are_left_alone(self) -> None:
        hits = list(self.hits())
        before = list(hits)
        self.make()(self.query(), hits)
        assert hits == before

    def test_one_and_none(self) -> None:
        rerank, hits = self.make(), self.hits()
        assert rerank(self.query(), []) == []
        assert [hit.item.id for hit in rerank(self.query(), hits[:1])] == [hits[0].item.id]


class ScorerSuite:
    """Subclass it, define `make` and `pairs`; every test below then runs on your scorer."""

    def make(self) -> Scorer:
        raise NotImplementedError("return the scorer under test")

    def pairs(self) -> tuple[Array, Array]:
        raise NotImplementedError("return unit rows (n, d) and (n, d) float32, n >= 3, no two pairs alike")

    def test_one_float32_score_a_pair(self) -> None:
        a, b = self.pairs()
        scores = self.make()(a, b)
        assert scores.shape == (len(a),)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert len(np.unique(scores)) > 1

    def test_each_pair_stands_alone(self) -> None:
        score, (a, b) = self.make(), self.pairs()
        scores = score(a, b)
        np.testing.assert_allclose(score(a[::-1], b[::-1]), scores[::-1], atol=CLOSE)
        for i, one in enumerate(scores):
            np.testing.assert_allclose(score(a[i : i + 1], b[i : i + 1]), [one], atol=CLOSE)

    def test_many_pairs(self) -> None:
        score, (a, b) = self.make(), self.pairs()
        times = 1 + 3000 // len(a)
        np.testing.assert_allclose(
            score(np.tile(a, (times, 1)), np.tile(b, (times, 1))), np.tile(score(a, b), times), atol=CLOSE
        )

    def test_no_pairs(self) -> None:
        a, b = self.pairs()
        assert self.make()(a[:0], b[:0]).shape == (0,)
