"""Equal to the feature extractors of transformers, within 1e-4 of the largest value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.audio import tiny
from tests.training.nets.audio.tiny import sound
from torch import nn
from transformers import ClapFeatureExtractor, WhisperFeatureExtractor

from duretrieval.onnx import Session
from duretrieval.training.nets.audio.clap_mel import ClapMel
from duretrieval.training.nets.audio.kaldi_mel import KaldiMel
from duretrieval.training.nets.audio.whisper_mel import WhisperMel
from duretrieval.training.onnx import to_onnx


def close(got: Any, expected: Any) -> None:
    expected = np.asarray(expected)
    assert got.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(got) / scale, expected / scale, atol=1e-4)


@pytest.mark.parametrize("seconds", [0.025, 0.5, 10.24, 12.0])
@pytest.mark.parametrize(
    "settings",
    [
        {"max_length": 1024, "num_mel_bins": 128},
        {"max_length": 50, "num_mel_bins": 64, "do_normalize": False},
        {"mean": -6.0, "std": 3.0},
    ],
)
def test_asts(settings: dict[str, Any], seconds: float) -> None:
    extractor = tiny.ast_extractor(**settings)
    samples = sound(seconds)
    expected = extractor(samples, sampling_rate=16_000, return_tensors="np")["input_values"]
    close(KaldiMel.like(extractor)(torch.from_numpy(samples)[None]), expected)


@pytest.mark.parametrize("seconds", [0.01, 1.7, 3.0])
@pytest.mark.parametrize("settings", [{"feature_size": 80}, {"feature_size": 128}, {"n_fft": 512, "hop_length": 128}])
def test_whispers(settings: dict[str, Any], seconds: float) -> None:
    extractor = WhisperFeatureExtractor(**{"chunk_length": 2, **settings})
    samples = sound(seconds)
    expected = extractor(samples, sampling_rate=16_000, return_tensors="np")["input_features"]
    close(WhisperMel.like(extractor)(torch.from_numpy(samples)[None]), expected)


def test_whispers_own_window() -> None:
    extractor = WhisperFeatureExtractor()
    expected = extractor(sound(5.0), sampling_rate=16_000, return_tensors="np")["input_features"]
    close(WhisperMel.like(extractor)(torch.from_numpy(sound(5.0))[None]), expected)


@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
@pytest.mark.parametrize("seconds", [0.07, 0.4, 0.9, 1.0])
def test_claps(padding: str, seconds: float) -> None:
    extractor = tiny.clap_extractor(padding=padding)
    samples = sound(seconds)
    expected = extractor(samples, sampling_rate=16_000, return_tensors="np")["input_features"]
    close(ClapMel.like(extractor)(torch.from_numpy(samples)[None]), expected)


def test_claps_published_settings() -> None:
    """Those of laion/clap-htsat-unfused, which are also what `ClapMel()` has."""
    extractor = ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50, frequency_max=14_000)
    samples = sound(3.1, rate=48_000)
    expected = extractor(samples, sampling_rate=48_000, return_tensors="np")["input_features"]
    close(ClapMel.like(extractor)(torch.from_numpy(samples)[None]), expected)
    close(ClapMel()(torch.from_numpy(samples)[None]), expected)


def test_clap_hears_the_beginning_of_a_longer_sound() -> None:
    front = ClapMel.like(tiny.clap_extractor())
    long = torch.from_numpy(sound(2.5))[None]
    torch.testing.assert_close(front(long), front(long[:, :16_000]))


FRONTS = {
    "ast": lambda: KaldiMel.like(tiny.ast_extractor()),
    "whisper": lambda: WhisperMel.like(WhisperFeatureExtractor(feature_size=16, chunk_length=1)),
    "clap": lambda: ClapMel.like(tiny.clap_extractor()),
}


@pytest.mark.parametrize("name", FRONTS)
def test_the_graph_is_equal_for_any_length(tmp_path: Path, name: str) -> None:
    front: nn.Module = FRONTS[name]()
    to_onnx(front, tmp_path / "f.onnx", {"samples": torch.rand(2, 5000)}, free={"samples": [1]})
    graph = Session(tmp_path / "f.onnx")
    for seconds in (0.03, 0.5, 1.4):
        samples = np.stack([sound(seconds, 0), sound(seconds, 1)])
        close(graph.run(samples=samples), front(torch.from_numpy(samples)).numpy())


@pytest.mark.parametrize("name", ["ast", "clap"])
def test_a_row_does_not_depend_on_the_rows_beside_it(name: str) -> None:
    front: nn.Module = FRONTS[name]()
    sounds = [torch.from_numpy(sound(seconds, seed)) for seed, seconds in enumerate((0.9, 0.05, 0.4))]
    rows = torch.nn.utils.rnn.pad_sequence(sounds, batch_first=True)
    together = front(rows, torch.tensor([len(each) for each in sounds]))
    for alone, got in zip(sounds, together, strict=True):
        torch.testing.assert_close(got, front(alone[None])[0], atol=1e-4, rtol=1e-4)
