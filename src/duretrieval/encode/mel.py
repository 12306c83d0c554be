"""Sound to log-mel patches, as the AudioSet classifiers VGGish and YAMNet hear it.

Hershey et al. 2017, "CNN architectures for large-scale audio classification", ICASSP, section 3.1, with the
constants of YAMNet's published parameters.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from duretrieval.encode.mel_filters import mel_filters
from duretrieval.types import Array

RATE = 16_000
"""Samples a second."""
FRAME = 400
"""Samples in one spectrum: 25 ms."""
STEP = 160
"""Samples between spectra: 10 ms."""
FFT = 512
BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 125.0, 7_500.0
OFFSET = 0.001
"""Added before the logarithm."""
PATCH = 96
"""Spectra in one patch: 0.96 s."""
PATCH_STEP = 48
SHORTEST = FRAME + (PATCH - 1) * STEP
"""Samples that one patch needs, 0.975 s; a shorter sound is followed by silence."""


def patches(samples: Array) -> Array:
    """Log-mel patches of mono sound at 16 kHz: (samples,) float32 -> (p, 96, 64) float32, p >= 1.

    log(|STFT| M + 0.001), patches of 0.96 s every 0.48 s; the end is filled with silence to a whole patch.
    """
    spectra = log_mel(_whole_patches(samples))
    windows = np.lib.stride_tricks.sliding_window_view(spectra, PATCH, axis=0)[::PATCH_STEP]  # (p, 64, 96)
    cut: Array = np.ascontiguousarray(windows.transpose(0, 2, 1))
    return cut


def log_mel(samples: Array) -> Array:
    """Logarithm of the mel-weighted magnitude spectra: (samples,) -> (t, 64), one row each 10 ms, no padding.

    Magnitudes, not powers; a periodic Hann window w_i = 0.5 - 0.5 cos(2 pi i / 400).
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]
    magnitudes = np.abs(np.fft.rfft(frames * _hann(), FFT)).astype(np.float32)
    logs: Array = np.log(magnitudes @ mel_weights() + np.float32(OFFSET))
    return logs


@cache
def mel_weights() -> Array:
    """Triangles of equal width on the mel scale: (257, 64) float32, the constant term left out."""
    weights: Array = mel_filters(
        sample_rate=RATE, n_fft=FFT, bands=BANDS, lowest_hz=LOWEST_HZ, highest_hz=HIGHEST_HZ, scale="kaldi", area=False
    ).astype(np.float32)
    weights[0] = 0.0
    return weights


@cache
def _hann() -> Array:
    window: Array = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
    return window


def _whole_patches(samples: Array) -> Array:
    """Silence after the end, up to a whole number of patch steps."""
    hop = PATCH_STEP * STEP
    steps = max(0, -(-(len(samples) - SHORTEST) // hop))
    filled: Array = np.pad(samples.astype(np.float32, copy=False), (0, SHORTEST + steps * hop - len(samples)))
    return filled
