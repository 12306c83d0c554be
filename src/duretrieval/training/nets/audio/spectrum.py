"""Sounds to spectra by a product with a matrix, which every runtime computes alike and fast."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.framing import frames, mirrored
from duretrieval.types import Floats

Padding = Literal["zeros", "reflect", "none"]


class Spectrum(nn.Module):
    """Squared magnitudes of the short-time Fourier transform: samples (b, n) -> (b, t, f) float32.

    X[t, k] = sum_i h[i] x[t hop + i] exp(-2 pi j k i / n_fft);  |X|² is returned.

    basis: (taps, 2f), the real and imaginary parts of h[i] exp(...) side by side (`hann_basis`), so that a spectrum is
    two products: any linear step on a frame, such as a window, costs nothing more.  padding: "none" starts the
    first frame at the first sample; the others centre frame t on sample t hop, with zeros or the mirrored sound beyond
    the ends.  A 5 s sound at 16 kHz takes about a millisecond.

    Numerics: float32 throughout, with the error of a sum of `taps` products; what is 120 dB below the loudest part of
    a frame is noise. Mixed precision leaves it alone.
    """

    basis: Tensor

    def __init__(self, basis: Floats, *, hop: int, padding: Padding = "none") -> None:
        super().__init__()
        self.hop = hop
        self.taps = len(basis)
        self.padding = padding
        self.register_buffer("basis", torch.tensor(basis, dtype=torch.float32), persistent=False)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (b,) how many samples of each row are real; the others are 0. None: all are.

        Frames from `frames(lengths)` on hold nothing of the sound.
        """
        with torch.autocast(samples.device.type, enabled=False):
            parts = frames(self._padded(samples.float(), lengths), self.taps, self.hop) @ self.basis
            real, imaginary = parts.chunk(2, dim=-1)
            return real * real + imaginary * imaginary

    def frames(self, lengths: Tensor) -> Tensor:
        """How many frames sounds of some lengths have: (b,) -> (b,)."""
        whole = lengths if self.padding == "none" else lengths + 2 * (self.taps // 2)
        return (whole - self.taps) // self.hop + 1

    def _padded(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        half = self.taps // 2
        if self.padding == "none":
            return samples
        if self.padding == "zeros":
            return functional.pad(samples, (half, half))
        if lengths is None:
            return functional.pad(samples[:, None], (half, half), mode="reflect")[:, 0]
        return mirrored(samples, lengths, half)


def hann_basis(n_fft: int, window: int, *, used: slice = slice(None)) -> Floats:
    """The basis of the Fourier transform under a periodic Hann window: (n_fft, 2f).

    h[i] = 0.5 - 0.5 cos(2 pi i / window), in the middle of n_fft samples.  used: which of the n_fft // 2 + 1
    frequencies are wanted.

    Raises:
        ConfigError: the window is longer than the transform.
    """
    if not 0 < window <= n_fft:
        raise ConfigError(f"window is {window} samples and n_fft is {n_fft}; the window must be 1 to n_fft samples")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    before = (n_fft - window) // 2
    padded = np.pad(hann, (before, n_fft - window - before))
    return padded[:, None] * fourier_basis(n_fft, n_fft, used=used)


def fourier_basis(n_fft: int, taps: int, *, used: slice = slice(None)) -> Floats:
    """cos and -sin of 2 pi k i / n_fft for i < taps: (taps, 2f)."""
    bins = np.arange(n_fft // 2 + 1)[used]
    angles = 2 * np.pi * (np.arange(taps)[:, None] * bins[None] % n_fft) / n_fft
    return np.concatenate([np.cos(angles), -np.sin(angles)], axis=1)
