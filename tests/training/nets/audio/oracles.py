"""Spectra of sounds by others: transformers' NumPy functions, which give what librosa gives, and SciPy's filters."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from transformers import audio_utils

hertz_to_mel = audio_utils.hertz_to_mel


def mel_filters(rate: int, n_fft: int, bands: int, low: float, high: float, *, scale: str, area: bool) -> np.ndarray:
    """(n_fft / 2 + 1, bands)."""
    norm = "slaney" if area else None
    return audio_utils.mel_filter_bank(n_fft // 2 + 1, bands, low, high, rate, norm=norm, mel_scale=scale)


def mel_spectrogram(
    samples: np.ndarray,
    rate: int,
    *,
    n_fft: int,
    window: int,
    hop: int,
    bands: int,
    low: float = 0.0,
    high: float | None = None,
    scale: str = "slaney",
    area: bool = True,
    power: float = 2.0,
    padding: str = "constant",
) -> np.ndarray:
    """(bands, t).  padding: `none`, or a mode of `np.pad`."""
    return audio_utils.spectrogram(
        samples.astype(np.float64),
        audio_utils.window_function(window, "hann", frame_length=n_fft),
        frame_length=n_fft,
        hop_length=hop,
        power=power,
        center=padding != "none",
        pad_mode="constant" if padding == "none" else padding,
        mel_filters=mel_filters(rate, n_fft, bands, low, high or rate / 2, scale=scale, area=area),
        mel_floor=0.0,
        dtype=np.float64,
    )


def power_to_db(mel: np.ndarray, *, reference: float = 1.0, top_db: float | None = 80.0) -> np.ndarray:
    """10 log10(mel / reference), no further below the largest than top_db."""
    found: np.ndarray = audio_utils.power_to_db(mel, reference=reference, min_value=1e-10, db_range=top_db)
    return found


def mfcc(decibels: np.ndarray, n: int) -> np.ndarray:
    """(bands, t) -> (n, t)."""
    found: np.ndarray = scipy.fft.dct(decibels, axis=0, type=2, norm="ortho")[:n]
    return found


def delta(features: np.ndarray, order: int, axis: int = -1) -> np.ndarray:
    """The slope of nine frames (Savitzky & Golay 1964)."""
    settings: dict[str, Any] = {"polyorder": order, "deriv": order, "mode": "interp"}
    found: np.ndarray = scipy.signal.savgol_filter(features, 9, axis=axis, **settings)
    return found
