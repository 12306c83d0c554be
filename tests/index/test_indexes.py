import numpy as np
import pytest

from duretrieval import plugins
from duretrieval.errors import ConfigError, ShapeError
from duretrieval.index.exact import ExactIndex
from duretrieval.index.faiss import FaissIndex
from duretrieval.testing.stores import directions


def test_four_directions_by_eye():
    index = ExactIndex(2)
    index.add(["east", "north", "west"], np.array([[1, 0], [0, 1], [-1, 0]], np.float32))
    assert index.search(np.array([[1, 0]], np.float32), 3) == [[("east", 1.0), ("north", 0.0), ("west", -1.0)]]


def test_they_are_found_by_name():
    assert plugins.find("indexes", "exact") is ExactIndex
    assert plugins.find("indexes", "faiss") is FaissIndex


def test_what_is_wrong_is_said():
    with pytest.raises(ConfigError, match="no faiss index is of kind 'ivf'; choose 'hnsw'"):
        FaissIndex(4, kind="ivf")
    with pytest.raises(ShapeError, match=r"expected vectors of shape \(1, 4\); got \(2, 4\)"):
        ExactIndex(4).add(["a"], directions(2, 4))
    with pytest.raises(ShapeError, match="row 1 of the vectors is not finite"):
        ExactIndex(4).add(["a", "b"], np.array([[1, 0, 0, 0], [np.nan, 0, 0, 0]]))


@pytest.mark.parametrize("kind", ["hnsw", "flat"])
def test_faiss_is_built_again_when_most_rows_are_dead(kind):
    index = FaissIndex(16, kind=kind)
    rows = directions(100)
    for _ in range(30):
        index.add([str(i) for i in range(100)], rows)
    assert len(index) == 100
    assert len(index._ids) <= 200
    index.remove([str(i) for i in range(95)])
    assert {id for id, _ in index.search(rows[:1], 10)[0]} == {"95", "96", "97", "98", "99"}
    index.remove([str(i) for i in range(100)])
    assert (len(index), index.search(rows[:1], 3)) == (0, [[]])


def test_one_query_uses_one_thread_and_leaves_the_setting_alone():
    import faiss

    before = faiss.omp_get_max_threads()
    index = FaissIndex(16)
    index.add(["a"], directions(1))
    index.search(directions(1), 1)
    assert faiss.omp_get_max_threads() == before
