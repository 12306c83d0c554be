from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.encode import mel


def slow_log_mel(samples: np.ndarray) -> np.ndarray:
    """One spectrum, one band and one bin at a time, from the formulas."""

    def to_mel(hz: float) -> float:
        return 1127.0 * math.log(1.0 + hz / 700.0)

    edges = [to_mel(125.0) + (to_mel(7500.0) - to_mel(125.0)) * i / 65 for i in range(66)]
    window = [0.5 - 0.5 * math.cos(2 * math.pi * i / 400) for i in range(400)]
    rows = []
    for start in range(0, len(samples) - 400 + 1, 160):
        frame = [float(samples[start + i]) * window[i] for i in range(400)] + [0.0] * 112
        magnitudes = np.abs(np.fft.fft(frame))[:257]
        row = []
        for band in range(64):
            low, centre, high = edges[band : band + 3]
            total = 0.0
            for k in range(1, 257):
                m = to_mel(k * 16000 / 512)
                total += max(0.0, min((m - low) / (centre - low), (high - m) / (high - centre))) * magnitudes[k]
            row.append(math.log(total + 0.001))
        rows.append(row)
    return np.array(rows)


def test_agrees_with_the_slow_reference() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 400 + 5 * 160 + 17).astype(np.float32)
    out = mel.log_mel(samples)
    assert out.shape == (6, 64)
    np.testing.assert_allclose(out, slow_log_mel(samples), atol=2e-4)


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)
    nearest = int(np.argmin(np.abs(edges[1:-1] - 1127 * np.log1p(1000 / 700))))
    assert mel.log_mel(tone).mean(axis=0).argmax() == nearest


def test_silence_is_the_logarithm_of_the_offset() -> None:
    np.testing.assert_allclose(mel.patches(np.zeros(16000, np.float32)), math.log(0.001), atol=1e-5)


@pytest.mark.parametrize(
    ("samples", "count"), [(1, 1), (15600, 1), (15601, 2), (15600 + 7680, 2), (15600 + 7681, 3), (16000 * 5, 10)]
)
def test_every_sample_is_in_a_patch(samples: int, count: int) -> None:
    assert mel.patches(np.zeros(samples, np.float32)).shape == (count, 96, 64)


def test_patches_overlap_by_half() -> None:
    cut = mel.patches(np.random.default_rng(1).normal(size=16000 * 2).astype(np.float32))
    np.testing.assert_array_equal(cut[0, 48:], cut[1, :48])


@given(st.integers(1, 40_000))
def test_patches_are_finite_for_any_length(samples: int) -> None:
    assert np.isfinite(mel.patches(np.ones(samples, np.float32))).all()
