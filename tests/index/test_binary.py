from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.align.itq import Itq
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.evaluation.metrics.hashing import hamming_similarity
from duretrieval.evaluation.metrics.hashing import signs as metric_signs
from duretrieval.index.binary import BinaryIndex
from duretrieval.index.exact import ExactIndex
from duretrieval.similarity import unit
from duretrieval.testing import IndexSuite
from duretrieval.testing.stores import directions


def test_three_codes_by_eye() -> None:
    """Bits 11, 10 and 00; the query 11 is 0, 1 and 2 bits away, and the cosine puts them in order."""
    index = BinaryIndex(2, keep="nothing")
    index.add(["a", "b", "c"], np.array([[0.6, 0.8], [0.8, -0.6], [-0.6, -0.8]], np.float32))
    ((*found,),) = index.search(np.array([[0.8, 0.6]], np.float32), 3)
    assert [id for id, _ in found] == ["a", "b", "c"]
    assert [score for _, score in found] == pytest.approx([1, 0, -1], abs=1e-6)


class TestBinaryIndex(IndexSuite):
    recall = 0.7  # 16 bits for random directions, the worst case there is

    def make(self, tmp_path: Path, dim: int) -> BinaryIndex:
        return BinaryIndex(dim)


class TestManyCandidates(IndexSuite):
    recall = 0.93

    def make(self, tmp_path: Path, dim: int) -> BinaryIndex:
        return BinaryIndex(dim, coder=Itq.fit(directions(500, dim, seed=7), bits=dim), rescore=40)


def test_is_found_by_name() -> None:
    assert plugins.find("indexes", "binary") is BinaryIndex


@pytest.mark.parametrize("bits", [5, 64, 65, 130])
def test_the_order_is_that_of_the_hamming_distance(bits: int) -> None:
    """With nothing kept; against the metric's distance of signs, for codes that do and do not fill their words."""
    rows, queries = directions(300, bits), directions(10, bits, seed=1)
    index = BinaryIndex(bits, keep="nothing")
    index.add([f"{i:03}" for i in range(300)], rows)
    distances = -hamming_similarity(metric_signs(queries), metric_signs(rows))
    for row, found in zip(distances, index.search(queries, 300), strict=True):
        assert [int(id) for id, _ in found] == np.lexsort((np.arange(300), row)).tolist()
        scores = [score for _, score in found]
        np.testing.assert_allclose(scores, np.cos(np.pi * np.sort(row) / bits), atol=1e-6)


@pytest.mark.parametrize("keep", ["float32", "int8"])
def test_with_all_candidates_it_is_exact(keep: str) -> None:
    rows, queries = directions(200, 48), directions(20, 48, seed=1)
    index, exact = BinaryIndex(48, keep=keep, rescore=20), ExactIndex(48)  # type: ignore[arg-type]
    for one in (index, exact):
        one.add([str(i) for i in range(200)], rows)
    for ours, truth in zip(index.search(queries, 10), exact.search(queries, 10), strict=True):
        np.testing.assert_allclose([s for _, s in ours], [s for _, s in truth], atol=0.01 if keep == "int8" else 1e-6)
        assert len({id for id, _ in ours} & {id for id, _ in truth}) >= (8 if keep == "int8" else 10)


@pytest.mark.parametrize("keep", ["float32", "int8", "nothing"])
def test_the_order_of_adding_and_removing_does_not_matter(keep: str) -> None:
    rows = directions(120, 24)
    ids = [f"{i:03}" for i in range(120)]
    straight, roundabout = (BinaryIndex(24, keep=keep, rescore=2) for _ in range(2))  # type: ignore[arg-type]
    straight.add(ids[:100], rows[:100])
    roundabout.add(ids[::-1], rows[::-1])
    roundabout.add(ids[30:40], rows[:10])
    roundabout.remove([*ids[100:], *ids[10:50]])
    roundabout.add(ids[10:50], rows[10:50])
    queries = directions(15, 24, seed=1)
    assert roundabout.search(queries, 7) == straight.search(queries, 7)


def test_a_coder_makes_the_codes() -> None:
    """Vectors far from the origin all have the same signs, until a coder centres them."""
    rows = unit(directions(500, 16) * 0.2 + 1)
    queries = unit(directions(20, 16, seed=1) * 0.2 + 1)
    truth = np.argsort(-(queries @ rows.T), axis=1)[:, :5]

    def found(index: BinaryIndex) -> int:
        index.add([str(i) for i in range(500)], rows)
        return sum(
            len({str(i) for i in a} & {id for id, _ in b}) for a, b in zip(truth, index.search(queries, 5), strict=True)
        )

    coder = Itq.fit(rows, bits=16)
    assert found(BinaryIndex(16, coder=coder, keep="nothing")) > 20
    assert found(BinaryIndex(16, keep="nothing")) < 10
    assert found(BinaryIndex(16, coder=coder, rescore=20)) > 75


def test_memory() -> None:
    sizes = {keep: BinaryIndex(384, keep=keep).bytes_per_vector for keep in ("float32", "int8", "nothing")}  # type: ignore[arg-type]
    assert sizes == {"float32": 48 + 1536, "int8": 48 + 384 + 4, "nothing": 48}
    index = BinaryIndex(384, keep="nothing")
    index.add([str(i) for i in range(64)], directions(64, 384))
    held = sum(array.nbytes for array in (index._codes, index._rows, index._scales))
    assert held == 64 * index.bytes_per_vector


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ConfigError, match="keep is 'float16'; choose 'float32', 'int8' or 'nothing'"):
        BinaryIndex(4, keep="float16")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="rescore is 0; it must be 1 or more"):
        BinaryIndex(4, rescore=0)
    with pytest.raises(ShapeError, match=r"expected vectors of shape \(1, 4\); got \(2, 4\)"):
        BinaryIndex(4).add(["a"], directions(2, 4))
