"""The log-mel spectrogram of the Audio Spectrogram Transformer: Kaldi's filter bank features."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.encode.mel_filters import mel_filters
from duretrieval.training.nets.audio.framing import filled_to, whole
from duretrieval.training.nets.audio.mel import heard_bins
from duretrieval.training.nets.audio.spectrum import Spectrum, fourier_basis
from duretrieval.types import Floats

FRAME, HOP, N_FFT = 400, 160, 512
"""25 ms and 10 ms at 16 kHz, whatever the sample rate: so does the feature extractor."""
EMPHASIS = 0.97
FLOOR = 2.0**-23
LOWEST_HZ = 20


class KaldiMel(nn.Module):
    """Sounds as the Audio Spectrogram Transformer hears them: samples (b, n) -> (b, max_frames, bands) float32.

    Per frame: mean removed, x_i - 0.97 x_{i-1}, Hann window, power spectrum, triangles evenly spaced in mels,
    natural logarithm; frames after the sound's end are 0; then (y - mean) / (2 std) (Gong, Chung & Glass 2021, section
    2.1). Equal to `transformers.ASTFeatureExtractor` where torchaudio is not installed. A sound needs 400 samples;
    what comes after the last frame is not heard.
    """

    weights: Tensor

    def __init__(
        self,
        *,
        sample_rate: int = 16_000,
        bands: int = 128,
        max_frames: int = 1024,
        mean: float = -4.2677393,
        std: float = 4.5689974,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.max_frames = max_frames
        self.mean, self.std = (mean, std) if normalise else (0.0, 0.5)
        weights = mel_filters(
            sample_rate=sample_rate,
            n_fft=N_FFT,
            bands=bands,
            lowest_hz=LOWEST_HZ,
            highest_hz=sample_rate // 2,
            scale="kaldi",
            area=False,
        )
        used = heard_bins(weights)
        self.spectrum = Spectrum(emphasised_basis(used), hop=HOP)
        self.register_buffer("weights", torch.tensor(weights[used], dtype=torch.float32), persistent=False)

    @classmethod
    def like(cls, extractor: Any, max_frames: int | None = None) -> KaldiMel:
        """With the settings of an `ASTFeatureExtractor`."""
        return cls(
            sample_rate=extractor.sampling_rate,
            bands=extractor.num_mel_bins,
            max_frames=max_frames or extractor.max_length,
            mean=extractor.mean,
            std=extractor.std,
            normalise=extractor.do_normalize,
        )

    @property
    def window(self) -> int:
        """Most samples that are heard."""
        return FRAME + (self.max_frames - 1) * HOP

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (b,) how many samples of each row are real; the others are 0. None: all are."""
        frames = self.spectrum.frames(whole(samples) if lengths is None else lengths)
        spectra = self.spectrum(filled_to(samples, self.window))
        with torch.autocast(samples.device.type, enabled=False):
            logs = (spectra @ self.weights).clamp(min=FLOOR).log()
        there = torch.arange(self.max_frames, device=samples.device)[None] < frames[:, None]
        normalised: Tensor = (logs * there[..., None] - self.mean) / (2 * self.std)
        return normalised


def emphasised_basis(used: slice) -> Floats:
    """Mean removal, pre-emphasis, window and transform are linear, so they are one matrix: (400, 2f).

    The window is symmetric (not periodic), and the first sample of a frame follows itself.
    """
    centring = np.eye(FRAME) - 1 / FRAME
    emphasis = np.eye(FRAME) - EMPHASIS * np.eye(FRAME, k=-1)
    emphasis[0, 0] = 1 - EMPHASIS
    steps: Floats = np.diag(np.hanning(FRAME)) @ emphasis @ centring
    return steps.T @ fourier_basis(N_FFT, FRAME, used=used)
