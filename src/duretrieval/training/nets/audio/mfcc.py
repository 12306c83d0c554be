"""Mel-frequency cepstral coefficients and how they move."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.mel import Mel, MelSettings, power_to_db
from duretrieval.types import Floats

DELTA_FRAMES = 9
"""Frames that a derivative is estimated from."""


class Mfcc(nn.Module):
    """Cepstral coefficients: samples (b, n) -> (b, t, n_mfcc) float32.

    The first n_mfcc of the cosine transform of the mel spectrum in decibels (Davis & Mermelstein 1980, eq. 1). Equal
    to `librosa.feature.mfcc` (transposed) with the same settings.
    """

    transform: Tensor

    def __init__(self, settings: MelSettings, n_mfcc: int = 20, *, top_db: float | None = 80.0) -> None:
        super().__init__()
        if not 1 <= n_mfcc <= settings.bands:
            raise ConfigError(f"n_mfcc is {n_mfcc}; {settings.bands} bands have 1 to {settings.bands} coefficients")
        self.mel = Mel(settings)
        self.top_db = top_db
        transform = torch.tensor(cosine_transform(settings.bands, n_mfcc), dtype=torch.float32)
        self.register_buffer("transform", transform, persistent=False)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: as `Spectrum`; frames from `frames(lengths)` on hold nothing of the sound."""
        db = power_to_db(self.mel(samples, lengths), top_db=self.top_db)
        with torch.autocast(samples.device.type, enabled=False):
            coefficients: Tensor = db @ self.transform
        return coefficients

    def frames(self, lengths: Tensor) -> Tensor:
        """How many frames sounds of some lengths have: (b,) -> (b,)."""
        return self.mel.frames(lengths)


def cosine_transform(bands: int, n: int) -> Floats:
    """The orthonormal DCT-II as a matrix: (bands, n).

    c[m, i] = s_i cos(pi i (2m + 1) / 2 bands), s_0 = sqrt(1 / bands), s_i = sqrt(2 / bands).
    """
    matrix = np.sqrt(2 / bands) * np.cos(np.pi * np.arange(n)[None] * (2 * np.arange(bands)[:, None] + 1) / (2 * bands))
    matrix[:, 0] = np.sqrt(1 / bands)
    return np.asarray(matrix)


def delta(features: Tensor, order: int = 1, frames: Tensor | None = None) -> Tensor:
    """The `order`-th derivative in time, per frame: (b, t, f) -> (b, t, f), t >= 9.

    That of a polynomial of degree `order` fitted to 9 frames by least squares (Savitzky & Golay 1964); the first and
    last four frames take the nearest full fit.  frames: (b,) each row's own number of frames, 9 or more; None: t.
    Equal to `librosa.feature.delta`.
    """
    b, t, f = features.shape
    half = DELTA_FRAMES // 2
    kernel = torch.tensor(_derivative(order), dtype=features.dtype, device=features.device)
    flat = features.transpose(1, 2).reshape(b * f, 1, t)
    inner = functional.conv1d(flat, kernel[None, None]).reshape(b, f, t - 2 * half).transpose(1, 2)
    if frames is None:
        return torch.cat([inner[:, :1].expand(b, half, f), inner, inner[:, -1:].expand(b, half, f)], dim=1)
    at = (torch.arange(t, device=features.device) - half).clamp(min=0)[None]
    nearest = torch.minimum(at, frames[:, None] - 2 * half - 1)
    return inner.gather(1, nearest[..., None].expand(-1, -1, f))


def _derivative(order: int) -> Floats:
    """What 9 values are multiplied by to give the derivative at the middle one."""
    half = DELTA_FRAMES // 2
    powers = np.arange(-half, half + 1)[:, None] ** np.arange(order + 1)[None]
    factorial = float(np.prod(np.arange(1, order + 1)))
    weights: Floats = np.linalg.pinv(powers.astype(np.float64))[order] * factorial
    return weights
