from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duretrieval.errors import DuretrievalError
from duretrieval.protocols import Fusion
from duretrieval.similarity import unit
from duretrieval.types import Array, Modality

CLOSE = 1e-5
N = 5


class FusionSuite:
    """The laws of a fusion. Subclass it, define `make` and `width`; every test below then runs on your fusion.

    width: components of the vectors that it takes.  alone_is_itself: whether one modality alone comes out as it is.
    A fusion that a model folder holds has `save(folder, name) -> options` and `load(folder, **options)`.
    """

    width = 0
    alone_is_itself = False

    def make(self) -> Any:
        raise NotImplementedError("return the fusion under test, of two modalities or more")

    def vectors(self, n: int = N) -> dict[Modality, Array]:
        rng = np.random.default_rng(0)
        modalities = self.make().modalities
        return {m: unit(rng.normal(size=(n, self.width)).astype(np.float32)) for m in modalities}

    def subsets(self) -> Iterator[dict[Modality, Array]]:
        """What there is of every choice of modalities."""
        vectors = self.vectors()
        for size in range(1, len(vectors) + 1):
            for chosen in combinations(vectors, size):
                yield {m: vectors[m] for m in chosen}

    def test_satisfies_the_protocol(self) -> None:
        fusion = self.make()
        assert isinstance(fusion, Fusion)
        assert len(fusion.modalities) >= 2

    def test_float32_unit_rows_of_any_modalities(self) -> None:
        fusion = self.make()
        for vectors in self.subsets():
            out = fusion(vectors)
            assert out.shape == (N, fusion.dim)
            assert out.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1.0, atol=CLOSE)

    def test_each_row_stands_alone(self) -> None:
        fusion = self.make()
        for vectors in self.subsets():
            out = fusion(vectors)
            np.testing.assert_allclose(fusion({m: rows[::-1] for m, rows in vectors.items()}), out[::-1], atol=CLOSE)
            for i, row in enumerate(out):
                one = fusion({m: rows[i : i + 1] for m, rows in vectors.items()})
                np.testing.assert_allclose(one[0], row, atol=CLOSE)

    def test_the_order_of_the_modalities_changes_nothing(self) -> None:
        fusion = self.make()
        for vectors in self.subsets():
            turned = {m: vectors[m] for m in reversed(list(vectors))}
            np.testing.assert_allclose(fusion(turned), fusion(vectors), atol=CLOSE)

    def test_every_modality_counts(self) -> None:
        fusion, vectors = self.make(), self.vectors()
        whole = fusion(vectors)
        for modality in vectors:
            less = fusion({m: rows for m, rows in vectors.items() if m is not modality})
            assert np.abs(less - whole).max() > 100 * CLOSE, modality

    def test_one_alone_is_itself(self) -> None:
        if self.alone_is_itself:
            fusion = self.make()
            for modality, rows in self.vectors().items():
                np.testing.assert_allclose(fusion({modality: rows}), rows, atol=CLOSE)

    def test_no_items(self) -> None:
        fusion = self.make()
        assert fusion(self.vectors(n=0)).shape == (0, fusion.dim)

    def test_what_it_cannot_fuse_is_refused(self) -> None:
        fusion, vectors = self.make(), self.vectors()
        first, second, *_ = fusion.modalities
        with pytest.raises(DuretrievalError):
            fusion({})
        with pytest.raises(DuretrievalError):
            fusion({**vectors, first: vectors[first][:-1]})
        with pytest.raises(DuretrievalError):
            fusion({first: vectors[first], second: vectors[second][:, :-1]})

    def test_leaves_its_input_alone(self) -> None:
        vectors = self.vectors()
        before = {m: rows.copy() for m, rows in vectors.items()}
        self.make()(vectors)
        for modality, rows in vectors.items():
            np.testing.assert_array_equal(rows, before[modality])

    def test_saved_and_loaded_is_equal(self, tmp_path: Path) -> None:
        fusion, vectors = self.make(), self.vectors()
        options = fusion.save(tmp_path, "saved")
        loaded = type(fusion).load(tmp_path, **options)
        assert (loaded.dim, loaded.modalities) == (fusion.dim, fusion.modalities)
        np.testing.assert_array_equal(loaded(vectors), fusion(vectors))
        (tmp_path / "again").mkdir()
        assert loaded.save(tmp_path / "again", "saved") == options
