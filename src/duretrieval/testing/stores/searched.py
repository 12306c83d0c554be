"""What a store finds: the nearest parts, of those that a filter keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from duretrieval.errors import QueryError, ShapeError, UnknownField
from duretrieval.similarity import unit
from duretrieval.testing.stores.made import DIM, MODEL, Made, directions, text
from duretrieval.types import Item, Modality, Part

WIDE = 64


class Searched(Made):
    """What is found, and what filters say."""

    def test_the_nearest_part_comes_first_and_scores_its_cosine(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        vectors = directions(6)
        store.add([text("a", 3), text("b", 3)], [vectors[:3], vectors[3:]], MODEL)
        found = store.search(3 * vectors[4], 6)
        assert (found[0].item, found[0].n) == ("b", 1)
        expected = np.sort(vectors @ vectors[4])[::-1]
        np.testing.assert_allclose([match.similarity for match in found], expected, atol=1e-5)

    def test_equal_parts_come_by_id(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        same = directions(1)
        ids = ["c", "a", "d", "b"]
        store.add([text(id, 2) for id in ids], [np.repeat(same, 2, axis=0)] * 4, MODEL)
        found = [(match.item, match.n) for match in store.search(same[0], 8)]
        assert found == [(id, n) for id in "abcd" for n in (0, 1)]

    @pytest.mark.parametrize("k", [0, 1, 3, 100])
    def test_k_may_be_larger_than_the_store(self, tmp_path: Path, k: int) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 3)], [directions(3)], MODEL)
        assert len(store.search(directions(1)[0], k)) == min(k, 3)

    @pytest.mark.parametrize("exact", [False, True])
    def test_recall_under_filters(self, tmp_path: Path, exact: bool) -> None:
        """Against numpy: no filter, wide, narrow, and correlated, which keeps only what is far from the queries."""
        store = self.make(tmp_path, WIDE)
        n, k = 2000, 10
        vectors, pole = directions(n, WIDE), directions(1, WIDE, seed=5)[0]
        queries = unit(pole + 0.5 * directions(20, WIDE, seed=6))
        u, height = np.random.default_rng(1).random(n), vectors @ pole
        items = [text(str(i), 1, u=float(u[i]), height=float(height[i])) for i in range(n)]
        for at in range(0, n, 500):
            store.add(items[at : at + 500], [row[None] for row in vectors[at : at + 500]], MODEL)
        filters: dict[str | None, npt.NDArray[np.bool_]] = {
            None: np.ones(n, bool),
            "u < 0.5": u < 0.5,
            "u < 0.02": u < 0.02,
            "height < 0": height < 0,
            "height < 0 AND u < 0.1": (height < 0) & (u < 0.1),
        }
        for where, fits in filters.items():
            found = 0
            for query in queries:
                best = np.argsort(np.where(fits, -(vectors @ query), np.inf))[:k]
                matches = store.search(query, k, where=where, exact=exact)
                assert len(matches) == k
                found += len({str(i) for i in best} & {match.item for match in matches})
            assert found >= (1.0 if exact else 0.95) * k * len(queries), where

    def test_only_the_modality_asked_for_is_found(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        parts = tuple(Part(modality, None) for modality in Modality)
        items = [Item(str(i), str(i), parts) for i in range(3)]
        store.add(items, [directions(len(parts), seed=i) for i in range(3)], MODEL)
        for n, modality in enumerate(Modality):
            found = store.search(directions(1)[0], 50, modality=modality)
            assert {(match.item, match.n) for match in found} == {(str(i), n) for i in range(3)}
        narrowed = store.search(directions(1)[0], 50, modality=Modality.AUDIO, where="source = '1'")
        assert [match.item for match in narrowed] == ["1"]

    def test_a_query_of_another_shape_is_refused(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a")], [directions(1)], MODEL)
        for wrong in (directions(1), directions(1, DIM - 1)[0], np.zeros(DIM, np.float32), np.full(DIM, np.inf)):
            with pytest.raises(ShapeError, match="the query"):
                store.search(wrong, 1)

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ("width > 10", "bc"),
            ("width > 10 AND kind = 'jpg'", "b"),
            ("width BETWEEN 5 AND 20", "ab"),
            ("width > 19.5", "bc"),
            ("NOT kind IN ('jpg', 'gif')", "c"),
            ("kind LIKE 'j%'", "b"),
            ("类型 = '图'", "ab"),
            ("`my field` IS NOT NULL", "c"),
            ("taken >= '2024-05-01'", "bc"),
            ("taken < '2024-05-01T00:00:00+00:00' OR width = 30", "ac"),
            ("taken BETWEEN '2024-05' AND '2025'", "b"),
            ("good", "a"),
            ("owner = 'O''Neill'", "b"),
            ("source = '/files/c'", "c"),
            ("page = 2", "c"),
            ("modality = 'image'", ""),
        ],
    )
    def test_filters(self, tmp_path: Path, where: str, found: str) -> None:
        store = self.make(tmp_path, DIM)
        items = [
            text("a", 1, width=5, kind="gif", 类型="图", taken=datetime(2024, 4, 30, 23, tzinfo=UTC), good=True),
            text("b", 1, width=20, kind="jpg", 类型="图", taken=datetime(2024, 5, 2, tzinfo=UTC), owner="O'Neill"),
            text("c", 2, width=30, kind="mp3", taken=datetime(2025, 5, 2, tzinfo=UTC), **{"my field": "x"}),
        ]
        store.add(items, [directions(len(item.parts)) for item in items], MODEL)
        assert {match.item for match in store.search(directions(1)[0], 10, where=where)} == set(found)
        assert list(store.scan(where)) == [item for item in items if item.id in found]

    def test_a_filter_that_cannot_be_read_is_an_error_of_the_query(self, tmp_path: Path) -> None:
        store = self.make(tmp_path, DIM)
        store.add([text("a", 1, width=5)], [directions(1)], MODEL)
        with pytest.raises(UnknownField, match="Did you mean 'width'"):
            store.search(directions(1)[0], 1, where="widht > 3")
        for where in ("", "width >", "width", "width > 'x'", "(width > 3", "width > 1) OR (width < 1", "width > 1; x"):
            with pytest.raises(QueryError):
                list(store.scan(where))
