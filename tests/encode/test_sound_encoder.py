from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from duretrieval import plugins
from duretrieval.encode.cutting import Cutting
from duretrieval.encode.sound import OnnxSound
from duretrieval.errors import ConfigError, ModelError, ShapeError
from duretrieval.onnx import Session
from duretrieval.testing import EncoderSuite
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality, Part


class Loudness(nn.Module):
    """Mean, energy, largest and length: (b, n) -> (b, 4), for any n; what a graph of sounds may be."""

    def forward(self, samples: Tensor) -> Tensor:
        length = torch.ones_like(samples).sum(dim=1)
        return torch.stack([samples.mean(dim=1), samples.square().mean(dim=1), samples.amax(dim=1), length], dim=1)


@cache
def graph() -> Path:
    path = Path(mkdtemp()) / "loudness.onnx"
    to_onnx(Loudness(), path, {"samples": torch.rand(2, 50)}, free={"samples": [1]})
    return path


def encoder(**settings: object) -> OnnxSound:
    return OnnxSound.load(graph().parent, file="loudness.onnx", dim=4, threads=1, **settings)  # type: ignore[arg-type]


def sounds(*lengths: int) -> list[Part]:
    rng = np.random.default_rng(0)
    return [Part(Modality.AUDIO, rng.uniform(-5, 5, n).astype(np.float32)) for n in lengths]


class TestFree(EncoderSuite):
    def make(self) -> OnnxSound:
        return encoder()

    def parts(self) -> list[Part]:
        return sounds(1, 7, 20, 50, 90)


class TestFixed(TestFree):
    def make(self) -> OnnxSound:
        return encoder(shortest=16, longest=16, hop=8)


class TestRepeated(TestFree):
    def make(self) -> OnnxSound:
        return encoder(shortest=16, fill="repeat", longest=30, long="cut")


def raw(samples: np.ndarray) -> np.ndarray:
    return np.array([samples.mean(), (samples**2).mean(), samples.max(), len(samples)])


def test_a_long_sound_is_the_mean_of_its_pieces() -> None:
    (part,) = sounds(40)
    (row,) = encoder(longest=20).encode([part])
    expected = (raw(part.content[:20]) + raw(part.content[20:])) / 2  # type: ignore[index]
    np.testing.assert_allclose(row, expected / np.linalg.norm(expected), atol=1e-6)


def test_a_short_sound_is_filled() -> None:
    (part,) = sounds(3)
    (row,) = encoder(shortest=8).encode([part])
    expected = raw(np.concatenate([part.content, np.zeros(5)]))  # type: ignore[arg-type]
    np.testing.assert_allclose(row, expected / np.linalg.norm(expected), atol=1e-6)


def test_saved_it_is_the_same(tmp_path: Path) -> None:
    made = encoder(shortest=8, fill="repeat", longest=30, hop=10, sample_rate=8000)
    options = made.save(tmp_path, "mine")
    assert options["file"] == "mine.onnx"
    assert made.save(tmp_path, "mine") == options
    again = plugins.find("encoders", "onnx-sound").load(tmp_path, **options)
    assert (again.sample_rate, again.cutting) == (8000, made.cutting)
    assert again.save(tmp_path, "mine") == options  # onto itself
    parts = sounds(5, 20, 77)
    np.testing.assert_array_equal(again.encode(parts), made.encode(parts))


def test_without_its_graph_it_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx is not there to be copied to .*mine\.onnx; export the model"):
        OnnxSound(Session(tmp_path / "gone.onnx"), dim=4).save(tmp_path, "mine")


def test_settings_are_checked_when_it_is_loaded() -> None:
    with pytest.raises(ConfigError, match="long is 'middle'; give 'mean' or 'cut'"):
        encoder(long="middle")


def test_the_message_names_its_rate() -> None:
    with pytest.raises(ShapeError, match=r"mono sound of shape \(samples,\) float32 at 48000 Hz; got str"):
        encoder(sample_rate=48_000).encode([Part(Modality.AUDIO, "bark.wav")])


def test_defaults_are_those_of_cutting() -> None:
    assert encoder().cutting == Cutting()
