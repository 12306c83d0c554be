from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.nets.audio import oracles, tiny
from tests.training.nets.audio.tiny import sound

from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.statistics import MfccStatistics, mean_and_spread


def rows(net: MfccStatistics, parts: list[tiny.Part]) -> np.ndarray:
    with torch.no_grad():
        out: np.ndarray = net(**net.prepare(parts)).numpy()
    return out


def test_mean_and_spread_by_eye() -> None:
    features = torch.tensor([[[1.0, 0.0], [3.0, 0.0], [100.0, 7.0]]])
    mean, spread = mean_and_spread(features, torch.tensor([2]))
    assert (mean.tolist(), spread.tolist()) == ([[2, 0]], [[1, 0]])
    mean, spread = mean_and_spread(features[:, :2], None)
    assert (mean.tolist(), spread.tolist()) == ([[2, 0]], [[1, 0]])


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_by_others(deltas: int) -> None:
    """Mean and standard deviation of somebody else's coefficients and of their derivatives."""
    samples = sound(0.8)
    mel = oracles.mel_spectrogram(samples, 16_000, n_fft=512, window=400, hop=160, bands=64)
    mfcc = oracles.mfcc(oracles.power_to_db(mel), 13)
    kinds = np.concatenate([mfcc, *(oracles.delta(mfcc, order) for order in range(1, deltas + 1))])
    expected = np.concatenate([kinds.mean(axis=1), kinds.std(axis=1)])
    net = MfccStatistics(n_mfcc=13, deltas=deltas)
    assert net.dim == len(expected) == 26 * (1 + deltas)
    np.testing.assert_allclose(rows(net, [tiny.Part(tiny.Modality.AUDIO, samples)])[0], expected, atol=2e-3)


def test_fitted_every_dimension_counts_alike() -> None:
    parts = tiny.parts(0.5, 1.0, 0.7, 0.9, 1.3)
    net = MfccStatistics(n_mfcc=5, bands=20)
    assert net.fit(parts) is net
    out = rows(net, parts)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=1e-2)
    before = net.scale.detach().clone()
    net.fit(parts)  # again: from the same sounds, the same
    torch.testing.assert_close(net.scale.detach(), before)


def test_a_constant_dimension_stays_as_it_is() -> None:
    net = MfccStatistics(n_mfcc=3, bands=20).fit(tiny.parts(0.5))
    assert torch.equal(net.scale.detach(), torch.ones(net.dim))
    np.testing.assert_allclose(rows(net, tiny.parts(0.5)), 0, atol=1e-3)


def test_three_derivatives_are_refused() -> None:
    with pytest.raises(ConfigError, match="deltas is 3; give 0, 1 or 2 derivatives"):
        MfccStatistics(deltas=3)
