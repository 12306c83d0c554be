from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duretrieval.protocols import Aligner
from duretrieval.types import Array, Modality

CLOSE = 1e-5


class AlignerSuite:
    """The laws of an aligner. Subclass it, define `make` and `vectors`; every test below then runs on your aligner.

    An aligner that a model folder holds has `save(folder, name) -> options` and `load(folder, **options)`.
    """

    modality = Modality.IMAGE

    def make(self) -> Any:
        raise NotImplementedError("return the aligner under test")

    def vectors(self) -> Array:
        raise NotImplementedError("return an encoder's vectors, (n, d) float32 with n >= 3")

    def test_satisfies_the_protocol(self) -> None:
        assert isinstance(self.make(), Aligner)

    def test_one_float32_unit_row_per_vector(self) -> None:
        aligner, vectors = self.make(), self.vectors()
        out = aligner(vectors, self.modality)
        assert out.shape == (len(vectors), aligner.dim)
        assert out.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1.0, atol=CLOSE)

    def test_each_row_stands_alone(self) -> None:
        aligner, vectors = self.make(), self.vectors()
        out = aligner(vectors, self.modality)
        np.testing.assert_allclose(aligner(vectors[::-1], self.modality), out[::-1], atol=CLOSE)
        for vector, row in zip(vectors, out, strict=True):
            np.testing.assert_allclose(aligner(vector[None], self.modality)[0], row, atol=CLOSE)

    def test_no_vectors(self) -> None:
        aligner = self.make()
        assert aligner(self.vectors()[:0], self.modality).shape == (0, aligner.dim)

    def test_leaves_its_input_alone(self) -> None:
        vectors = self.vectors()
        before = vectors.copy()
        self.make()(vectors, self.modality)
        np.testing.assert_array_equal(vectors, before)

    def test_saved_and_loaded_is_equal(self, tmp_path: Path) -> None:
        aligner, vectors = self.make(), self.vectors()
        options = aligner.save(tmp_path, "saved")
        loaded = type(aligner).load(tmp_path, **options)
        assert loaded.dim == aligner.dim
        np.testing.assert_array_equal(loaded(vectors, self.modality), aligner(vectors, self.modality))
        (tmp_path / "again").mkdir()
        assert loaded.save(tmp_path / "again", "saved") == options
