from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duretrieval.protocols import Encoder
from duretrieval.types import Part

CLOSE = 1e-5


class EncoderSuite:
    """The laws of an encoder. Subclass it, define `make` and `parts`; every test below then runs on your encoder.

    class TestMine(EncoderSuite):
        def make(self): return MyEncoder()
        def parts(self): return [Part(Modality.TEXT, text) for text in ("a red bus", "rain", "a blue bird in a tree")]
    """

    def make(self) -> Encoder:
        raise NotImplementedError("return the encoder under test")

    def parts(self) -> Sequence[Part]:
        raise NotImplementedError("return at least three different parts that it can encode, of different sizes")

    def test_satisfies_the_protocol(self) -> None:
        encoder = self.make()
        assert isinstance(encoder, Encoder)
        assert {part.modality for part in self.parts()} <= encoder.modalities

    def test_one_float32_row_per_part(self) -> None:
        encoder, parts = self.make(), self.parts()
        assert len(parts) >= 3
        out = encoder.encode(parts)
        assert out.shape == (len(parts), encoder.dim)
        assert out.dtype == np.float32

    def test_rows_are_unit_length(self) -> None:
        np.testing.assert_allclose(np.linalg.norm(self.make().encode(self.parts()), axis=1), 1.0, atol=CLOSE)

    def test_different_parts_have_different_rows(self) -> None:
        out = self.make().encode(self.parts())
        assert np.all((out @ out.T)[~np.eye(len(out), dtype=bool)] < 1 - CLOSE)

    def test_order_changes_nothing(self) -> None:
        encoder, parts = self.make(), self.parts()
        np.testing.assert_allclose(encoder.encode(parts[::-1]), encoder.encode(parts)[::-1], atol=CLOSE)

    def test_batch_size_changes_nothing(self) -> None:
        encoder, parts = self.make(), self.parts()
        one_by_one = np.concatenate([encoder.encode([part]) for part in parts])
        np.testing.assert_allclose(encoder.encode(parts), one_by_one, atol=CLOSE)

    def test_large_batches_are_split(self) -> None:
        encoder, parts = self.make(), self.parts()
        times = 1 + 40 // len(parts)
        many = encoder.encode([part for part in parts for _ in range(times)])
        np.testing.assert_allclose(many, np.repeat(encoder.encode(parts), times, axis=0), atol=CLOSE)

    def test_empty_batch(self) -> None:
        encoder = self.make()
        out = encoder.encode([])
        assert out.shape == (0, encoder.dim)
        assert out.dtype == np.float32
