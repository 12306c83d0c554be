"""Equal to transformers' and SciPy's over several settings, within 1e-4 of the largest value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.training.nets.audio import oracles
from tests.training.nets.audio.tiny import sound

from duretrieval.encode.mel_filters import hz_to_mel, mel_filters, mel_to_hz
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.mel import Mel, MelSettings, power_to_db
from duretrieval.training.nets.audio.mfcc import Mfcc, cosine_transform, delta

SETTINGS = {
    "default": MelSettings(),
    "librosa": MelSettings(sample_rate=22_050, n_fft=2048, window=2048, hop=512, bands=128),
    "htk": MelSettings(scale="htk", area=False, n_fft=1024, window=800, hop=200, padding="reflect", bands=40),
    "magnitude": MelSettings(padding="none", n_fft=512, window=512, magnitude=True, lowest_hz=125, highest_hz=7500),
    "48 kHz": MelSettings(sample_rate=48_000, n_fft=1024, window=1024, hop=480, highest_hz=14_000),
}


def theirs(settings: MelSettings, samples: np.ndarray) -> np.ndarray:
    return oracles.mel_spectrogram(
        samples,
        settings.sample_rate,
        n_fft=settings.n_fft,
        window=settings.window,
        hop=settings.hop,
        bands=settings.bands,
        low=settings.lowest_hz,
        high=settings.highest_hz,
        scale=settings.scale,
        area=settings.area,
        power=1.0 if settings.magnitude else 2.0,
        padding={"reflect": "reflect", "none": "none"}.get(settings.padding, "constant"),
    )


def close(got: torch.Tensor, expected: np.ndarray) -> None:
    scale = np.abs(expected).max()
    np.testing.assert_allclose(got.detach().numpy() / scale, expected / scale, atol=1e-4)


@pytest.fixture(params=SETTINGS)
def settings(request: Any) -> MelSettings:
    return SETTINGS[request.param]


def test_filters_by_eye() -> None:
    """Below 1000 Hz Slaney's mels are even: bins 200 Hz apart are where triangles begin, peak and end."""
    weights = mel_filters(sample_rate=1600, n_fft=8, bands=3, area=False)
    np.testing.assert_allclose(weights, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(mel_filters(sample_rate=1600, n_fft=8, bands=3), weights / 200, atol=1e-12)
    half = mel_filters(sample_rate=1600, n_fft=16, bands=3, area=False)[:, 0]
    np.testing.assert_allclose(half, [0, 0.5, 1, 0.5, 0, 0, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("scale", ["slaney", "htk", "kaldi"])
def test_mels_and_back(scale: Any) -> None:
    hz = np.linspace(0, 8000, 101)
    mel = hz_to_mel(hz, scale)
    assert (np.diff(mel) > 0).all()
    np.testing.assert_allclose(mel_to_hz(mel, scale), hz, atol=1e-8)
    if scale != "kaldi":
        np.testing.assert_allclose(mel, oracles.hertz_to_mel(hz, mel_scale=scale), rtol=1e-9)


@pytest.mark.parametrize("area", [True, False])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_filters_are_theirs(scale: Any, area: bool) -> None:
    ours = mel_filters(sample_rate=16_000, n_fft=512, bands=40, lowest_hz=60, highest_hz=7600, scale=scale, area=area)
    expected = oracles.mel_filters(16_000, 512, 40, 60, 7600, scale=scale, area=area)
    np.testing.assert_allclose(ours, expected, atol=1e-7)


def test_mel_is_theirs(settings: MelSettings) -> None:
    samples = sound(0.7, rate=settings.sample_rate)
    close(Mel(settings)(torch.from_numpy(samples)[None])[0].T, theirs(settings, samples))


@pytest.mark.parametrize("top_db", [80.0, 20.0, None])
def test_decibels_are_theirs(settings: MelSettings, top_db: float | None) -> None:
    samples = sound(0.7, rate=settings.sample_rate)
    got = power_to_db(Mel(settings)(torch.from_numpy(samples)[None]), top_db=top_db, reference=0.5)
    close(got[0].T, oracles.power_to_db(theirs(settings, samples), reference=0.5, top_db=top_db))


def test_logarithms_by_eye() -> None:
    mel = torch.tensor([[[1.0, 100.0], [1e-20, 0.0]]])
    assert power_to_db(mel, top_db=None).tolist() == [[[0, 20], [-100, -100]]]
    assert power_to_db(mel, top_db=30).tolist() == [[[0, 20], [-10, -10]]]
    assert power_to_db(mel, reference=100, top_db=None)[0, 0].tolist() == [-20, 0]


@pytest.mark.parametrize("n_mfcc", [13, 20, 40])
@pytest.mark.parametrize("name", ["default", "librosa", "htk", "48 kHz"])
def test_mfcc_is_theirs(name: str, n_mfcc: int) -> None:
    settings = SETTINGS[name]
    samples = sound(0.7, rate=settings.sample_rate)
    got = Mfcc(settings, n_mfcc)(torch.from_numpy(samples)[None])[0].T
    close(got, oracles.mfcc(oracles.power_to_db(theirs(settings, samples)), n_mfcc))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("t", [9, 10, 31])
def test_delta_is_theirs(order: int, t: int) -> None:
    features = np.random.default_rng(t).standard_normal((2, t, 5)).astype(np.float32)
    expected = oracles.delta(features, order, axis=1)
    close(delta(torch.from_numpy(features), order), expected)


def test_delta_by_eye() -> None:
    line = torch.arange(12.0)[None, :, None] * 3
    torch.testing.assert_close(delta(line), torch.full((1, 12, 1), 3.0))
    torch.testing.assert_close(delta(line.square(), 2), torch.full((1, 12, 1), 18.0), atol=1e-3, rtol=0)


def test_delta_of_each_row_ends_where_the_row_does() -> None:
    features = torch.randn(3, 30, 4)
    frames = torch.tensor([30, 9, 17])
    for order in (1, 2):
        together = delta(features, order, frames)
        for row, n, got in zip(features, frames, together, strict=True):
            torch.testing.assert_close(got[:n], delta(row[None, :n], order)[0])


def test_the_cosine_transform_is_orthonormal() -> None:
    matrix = cosine_transform(24, 24)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(24), atol=1e-12)


def test_mixed_precision_leaves_it_alone() -> None:
    front, samples = Mfcc(MelSettings()), torch.from_numpy(sound(0.2))[None]
    plain = front(samples)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(front(samples), plain)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest_hz": 500, "highest_hz": 400}, "from 500 to 400 Hz cannot be made at 16000 samples a second"),
        ({"highest_hz": 9000}, "frequencies must rise and stay within 0 to 8000 Hz"),
    ],
)
def test_impossible_bands_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Mel(MelSettings(**settings))  # type: ignore[arg-type]


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(ConfigError, match="n_mfcc is 30; 20 bands have 1 to 20 coefficients"):
        Mfcc(MelSettings(bands=20), 30)
