"""Sequences of the engine's encoders: what they are made of, how they are shortened, and who has none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from duretrieval.encode.image import OnnxImage
from duretrieval.encode.sequences import shortened, tokens
from duretrieval.encode.word_vectors import WordVectors
from duretrieval.errors import ConfigError
from duretrieval.model.model import Model
from duretrieval.onnx import Session
from duretrieval.protocols import SequenceEncoder
from duretrieval.similarity import unit
from duretrieval.training.nets.builtin_sequences import builtin_sequence
from duretrieval.types import Array, Modality, Part

TEXTS = ("a red bus", "rain", "两只狗 in the snow, as they were the day before", "a blue bird in a tall tree")


def parts(modality: Modality) -> list[Part]:
    """Four of different content and, but for pictures, of different lengths."""
    rng = np.random.default_rng(0)
    if modality is Modality.TEXT:
        return [Part(modality, text) for text in TEXTS]
    if modality is Modality.AUDIO:
        return [Part(modality, rng.standard_normal(n).astype(np.float32) / 5) for n in (16_000, 40_000, 80_000)]
    frames = rng.integers(0, 255, (3, 4, 224, 224, 3), dtype=np.uint8)
    return [Part(modality, film if modality is Modality.VIDEO else film[0]) for film in frames]


KNOWN = {Modality.TEXT: 384, Modality.IMAGE: 1280, Modality.VIDEO: 1280, Modality.AUDIO: 1024}


@pytest.mark.parametrize("modality", KNOWN, ids=str)
def test_the_built_in_encoders_hand_on_their_sequences(modality: Modality) -> None:
    encoder, given = builtin_sequence(modality), parts(modality)
    assert isinstance(encoder, SequenceEncoder)
    assert encoder.sequential
    found = encoder.sequence(given)
    wanted = {Modality.IMAGE: [49] * 3, Modality.VIDEO: [4] * 3, Modality.AUDIO: [2, 5, 10]}
    if modality in wanted:
        assert [len(rows) for rows in found] == wanted[modality]
    assert {(rows.shape[1], str(rows.dtype)) for rows in found} == {(KNOWN[modality], "float32")}
    assert all(np.abs(rows[1:] - rows[0]).max() > 1e-3 for rows in found if len(rows) > 1)
    rows = unit(np.stack([rows.mean(axis=0) for rows in found]))
    np.testing.assert_allclose(encoder.encode(given), rows, atol=1e-5)  # a row is the mean of what it is made of
    for part, sequence in zip(given[::-1], found[::-1], strict=True):
        np.testing.assert_allclose(encoder.sequence([part])[0], sequence, atol=1e-5)
    assert encoder.sequence([]) == []
    assert encoder.encode([]).shape == (0, KNOWN[modality])


def test_words_are_those_of_the_built_in_text_encoder() -> None:
    """Cut before its mean, it is the same encoder."""
    ours, theirs = builtin_sequence(Modality.TEXT), Model.load().parts_for(Modality.TEXT)[0]
    np.testing.assert_allclose(ours.encode(parts(Modality.TEXT)), theirs.encode(parts(Modality.TEXT)), atol=1e-5)


@pytest.mark.parametrize("modality", KNOWN, ids=str)
def test_saved_and_loaded_they_hand_on_the_same(modality: Modality, tmp_path: Path) -> None:
    encoder = builtin_sequence(modality)
    loaded = type(encoder).load(tmp_path, **encoder.save(tmp_path, "mine"))  # type: ignore[attr-defined]
    assert loaded.sequential
    for before, after in zip(encoder.sequence(parts(modality)), loaded.sequence(parts(modality)), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_place_of_a_picture_is_what_lies_there() -> None:
    """Half of a picture changes: the cells of that half change most, row by row from the top."""
    plain = np.full((224, 224, 3), 128, np.uint8)
    other = plain.copy()
    other[:96] = np.random.default_rng(0).integers(0, 255, (96, 224, 3), dtype=np.uint8)
    before, after = builtin_sequence(Modality.IMAGE).sequence([Part(Modality.IMAGE, p) for p in (plain, other)])
    change = np.abs(after - before).mean(axis=1).reshape(7, 7).mean(axis=1)
    assert change[:3].min() > 2 * change[5:].max()


def test_word_vectors_hand_on_their_words() -> None:
    table = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
    encoder = WordVectors.of(["red", "bus"], table, spread=False)
    (both,) = encoder.sequence([Part(Modality.TEXT, "bus red bus")])
    assert both.tolist() == [[1.0, 0.0], [0.0, 4.0]]
    np.testing.assert_allclose(encoder.encode([Part(Modality.TEXT, "bus red bus")]), unit(both.sum(axis=0)[None]))


def slowly(rows: Array, most: int) -> list[list[float]]:
    stretches: list[list[Array]] = [[] for _ in range(min(most, len(rows)))]
    for i, row in enumerate(rows):
        stretches[i * most // len(rows) if len(rows) > most else i].append(row)
    means = [np.mean(held, axis=0) for held in stretches]
    return [(mean / np.linalg.norm(mean)).tolist() for mean in means]


@pytest.mark.parametrize(("t", "most"), [(1, 1), (7, 3), (49, 16), (5, 8), (10, 10), (10, 9)])
def test_a_long_sequence_is_the_means_of_stretches_of_neighbours(t: int, most: int) -> None:
    rows = np.random.default_rng(t).standard_normal((t, 6)).astype(np.float32)
    np.testing.assert_allclose(shortened(rows, most), slowly(rows, most), atol=1e-6)


class OneRow:
    dim, modalities = 3, frozenset({Modality.TEXT})

    def encode(self, batch: Sequence[Part], /) -> Array:
        return np.ones((len(batch), 3), np.float32)


def test_an_encoder_without_a_sequence_is_named() -> None:
    image = OnnxImage(Session(Path("none.onnx")), dim=3)
    for encoder in (OneRow(), image, Model.load().parts_for(Modality.TEXT)[0]):
        with pytest.raises(ConfigError, match=f"{type(encoder).__name__} makes one row of a part and hands on no seq"):
            tokens(encoder, [], 3)
