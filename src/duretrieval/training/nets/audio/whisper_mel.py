"""The log-mel spectrogram of Whisper."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.training.nets.audio.framing import filled_to
from duretrieval.training.nets.audio.mel import Mel, MelSettings


class WhisperMel(nn.Module):
    """Sounds as Whisper hears them: samples (b, n) -> (b, bands, window / hop) float32.

    Silence up to the window (30 s); log10 of the mel powers, at most 8 below the loudest, then (y + 4) / 4 (Radford et
    al. 2022, section 2.2). Equal to `transformers.WhisperFeatureExtractor` with padding "max_length".
    """

    def __init__(
        self, *, sample_rate: int = 16_000, n_fft: int = 400, hop: int = 160, bands: int = 80, window: int = 480_000
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.window = window
        self.hop = hop
        self.mel = Mel(
            MelSettings(
                sample_rate=sample_rate,
                n_fft=n_fft,
                window=n_fft,
                hop=hop,
                padding="reflect",
                bands=bands,
                highest_hz=8000.0,
            )
        )

    @classmethod
    def like(cls, extractor: Any, window: int | None = None) -> WhisperMel:
        """With the settings of a `WhisperFeatureExtractor`; window: other than its `n_samples`."""
        return cls(
            sample_rate=extractor.sampling_rate,
            n_fft=extractor.n_fft,
            hop=extractor.hop_length,
            bands=extractor.feature_size,
            window=window or extractor.n_samples,
        )

    def forward(self, samples: Tensor) -> Tensor:
        """Samples after the end of a sound are 0."""
        logs = self.mel(filled_to(samples, self.window))[:, :-1].clamp(min=1e-10).log10()
        logs = torch.maximum(logs, logs.amax(dim=(1, 2), keepdim=True) - 8.0)
        return ((logs + 4.0) / 4.0).transpose(1, 2)
