from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from duretrieval.builtin import FOLDER
from duretrieval.encode.audio import OnnxAudio
from duretrieval.errors import ShapeError
from duretrieval.testing import EncoderSuite
from duretrieval.types import Modality, Part

RATE = 16_000


@cache
def encoder() -> OnnxAudio:
    return OnnxAudio.load(FOLDER, dim=521, output="scores", threads=1)


def tone(hz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE).astype(np.float32)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, int(seconds * RATE)).astype(np.float32)


class TestOnnxAudio(EncoderSuite):
    def make(self) -> OnnxAudio:
        return encoder()

    def parts(self) -> list[Part]:
        sounds = [tone(440, 0.1), noise(3), tone(2000, 20), np.concatenate([noise(1), tone(300, 1)])]
        return [Part(Modality.AUDIO, sound) for sound in sounds]


def test_vectors_are_averaged_and_made_unit() -> None:
    plain = OnnxAudio.load(FOLDER, dim=521, threads=1)
    (out,) = plain.encode([Part(Modality.AUDIO, noise(3))])
    assert np.linalg.norm(out) == pytest.approx(1, abs=1e-5)
    (scores,) = encoder().encode([Part(Modality.AUDIO, noise(3))])
    np.testing.assert_allclose(out, scores**2 / np.linalg.norm(scores**2), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((2, 100), np.float32), r"mono sound of shape \(samples,\) float32 at 16000 Hz; got \(2, 100\)"),
        (np.zeros(100, np.int16), r"got \(100,\) int16"),
        (np.zeros(0, np.float32), r"got \(0,\) float32"),
        ("bark.wav", "got str"),
    ],
)
def test_what_is_not_mono_samples_is_refused(content: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        encoder().encode([Part(Modality.AUDIO, content)])  # type: ignore[arg-type]
