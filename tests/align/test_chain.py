from __future__ import annotations

import numpy as np
import pytest

from duretrieval.align.centre import Centre
from duretrieval.align.chain import Chain, Sum
from duretrieval.align.conse import Conse
from duretrieval.align.procrustes import Procrustes
from duretrieval.align.ridge import Ridge
from duretrieval.errors import ConfigError, ShapeError, UnknownPart
from duretrieval.similarity import cosine, unit
from duretrieval.testing import AlignerSuite
from duretrieval.types import Modality


def rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def ridge(d_in: int = 6, dim: int = 4) -> Ridge:
    return Ridge.fit(rows(50, d_in), rows(50, dim, 1), penalty=1)


class Negate:
    dim = 2

    def __call__(self, vectors: np.ndarray, modality: Modality, /) -> np.ndarray:
        return -unit(vectors)


def test_by_eye() -> None:
    centre = Centre(np.array([1, 0], np.float32))
    x = np.array([[1, 2]], np.float32)
    np.testing.assert_allclose(Chain((centre, Negate()))(x, Modality.TEXT), [[0, -1]])
    np.testing.assert_allclose(Sum((centre, Negate()), (1, 0))(x, Modality.TEXT), [[0, 1]])
    both = Sum((centre, Centre(np.array([0, 2], np.float32))), (3, 4))  # rows (0, 1) and (1, 0)
    np.testing.assert_allclose(both(x, Modality.TEXT), [[0.8, 0.6]], atol=1e-6)


class TestChain(AlignerSuite):
    def make(self) -> Chain:
        return Chain((Centre(rows(1, 6, 3)[0]), ridge(), Procrustes.fit(rows(9, 4, 4), rows(9, 5, 5))))

    def vectors(self) -> np.ndarray:
        return rows(5, 6, 2)


class TestSum(AlignerSuite):
    def make(self) -> Sum:
        return Sum((Chain((Centre(rows(1, 6, 3)[0]), ridge())), Conse(rows(6, 4), top=3)), (2, 1))

    def vectors(self) -> np.ndarray:
        return np.abs(unit(rows(5, 6, 2)))


def test_a_sum_ranks_by_the_weighted_sum_of_cosines() -> None:
    x, gallery = np.abs(unit(rows(5, 6, 2))), rows(30, 4, 7)
    head, conse = ridge(), Conse(rows(6, 4), top=3)
    added = 2 * cosine(head(x, Modality.IMAGE), gallery) + cosine(conse(x, Modality.IMAGE), gallery)
    ours = cosine(Sum((head, conse), (2, 1))(x, Modality.IMAGE), gallery)
    np.testing.assert_array_equal(np.argsort(ours, axis=1), np.argsort(added, axis=1))


@pytest.mark.parametrize("weights", [(1,), (0, 0), (1, float("nan"))])
def test_weights_that_cannot_be_used(weights: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match=r"the weights of 2 aligners are \[.*\]; give one finite number for each"):
        Sum((ridge(), ridge()), weights)


def test_parts_that_cannot_be_used(tmp_path) -> None:
    with pytest.raises(ConfigError, match="there is no aligner to run; give at least one"):
        Chain(())
    with pytest.raises(ShapeError, match=r"must end in the same space; these have \[4, 3\] dimensions"):
        Sum((ridge(), ridge(6, 3)), (1, 1))
    with pytest.raises(UnknownPart, match="no part called 'rigde' among the aligners"):
        Chain.load(tmp_path, parts=[{"use": "rigde"}])
