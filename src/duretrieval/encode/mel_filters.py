"""Mel filter banks: triangles that sum the bins of a spectrum into bands as wide as the ear's."""

from __future__ import annotations

from typing import Literal

import numpy as np

from duretrieval.errors import ConfigError
from duretrieval.types import Floats

Scale = Literal["slaney", "htk", "kaldi"]

KNEE_HZ, KNEE_MEL = 1000.0, 15.0
LOG_STEP = np.log(6.4) / 27.0


def mel_filters(
    *,
    sample_rate: int,
    n_fft: int,
    bands: int,
    lowest_hz: float = 0.0,
    highest_hz: float | None = None,
    scale: Scale = "slaney",
    area: bool = True,
) -> Floats:
    """Weights of the bins of a spectrum in each band: (n_fft // 2 + 1, bands).

    w[k, m] = max(0, min((f_k - c_{m-1}) / (c_m - c_{m-1}), (c_{m+1} - f_k) / (c_{m+1} - c_m))), the centres c evenly
    spaced on the mel scale.  f and c are frequencies; with the "kaldi" scale they are mels.  area: divided by half the
    band's width in Hz, so that noise is as loud in each band (Slaney 1998, "Auditory Toolbox").  highest_hz: None is
    half the sample rate.

    Raises:
        ConfigError: the frequencies do not rise, or are beyond half the sample rate.
    """
    top = sample_rate / 2 if highest_hz is None else highest_hz
    if not 0 <= lowest_hz < top <= sample_rate / 2:
        raise ConfigError(
            f"a filter bank from {lowest_hz:g} to {top:g} Hz cannot be made at {sample_rate} samples a second; "
            f"frequencies must rise and stay within 0 to {sample_rate / 2:g} Hz"
        )
    bins = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    lowest, highest = hz_to_mel(np.array([lowest_hz, top]), scale)
    edges = np.linspace(lowest, highest, bands + 2)
    edges_hz = mel_to_hz(edges, scale)
    if scale == "kaldi":
        bins = hz_to_mel(bins, scale)
    else:
        edges = edges_hz
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    at = bins[:, None]
    weights = np.maximum(0.0, np.minimum((at - low) / (centre - low), (high - at) / (high - centre)))
    if area:
        weights = weights * (2.0 / (edges_hz[2:] - edges_hz[:-2]))
    return np.asarray(weights)


def hz_to_mel(hz: Floats, scale: Scale) -> Floats:
    """Hertz on a mel scale.

    htk, kaldi: 2595 log10(1 + f / 700), 1127 ln(1 + f / 700) (O'Shaughnessy 1987, p. 150).
    slaney: 3 f / 200 below 1000 Hz, and above it 15 + 27 ln(f / 1000) / ln 6.4.
    """
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))
    if scale == "kaldi":
        return np.asarray(1127.0 * np.log1p(hz / 700.0))
    return np.where(hz < KNEE_HZ, 3 * hz / 200, KNEE_MEL + np.log(np.maximum(hz, KNEE_HZ) / KNEE_HZ) / LOG_STEP)


def mel_to_hz(mel: Floats, scale: Scale) -> Floats:
    """The inverse of `hz_to_mel`."""
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    if scale == "kaldi":
        return np.asarray(700.0 * np.expm1(mel / 1127.0))
    return np.where(mel < KNEE_MEL, 200 * mel / 3, KNEE_HZ * np.exp(LOG_STEP * (np.maximum(mel, KNEE_MEL) - KNEE_MEL)))
