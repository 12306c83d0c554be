"""The log-mel spectrogram of CLAP."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from duretrieval.training.nets.audio.framing import whole
from duretrieval.training.nets.audio.mel import Mel, MelSettings, power_to_db

PUBLISHED = MelSettings(
    sample_rate=48_000,
    n_fft=1024,
    window=1024,
    hop=480,
    padding="reflect",
    bands=64,
    lowest_hz=50.0,
    highest_hz=14_000.0,
)
"""The spectrogram that laion/clap-htsat-unfused was trained with."""


class ClapMel(nn.Module):
    """Sounds as CLAP without fusion hears them: samples (b, n) -> (b, 1, window // hop + 1, bands) float32.

    A sound shorter than the window (10 s) is repeated as often as it fits whole, then followed by silence
    ("repeatpad"), repeated until the window is full ("repeat"), or only followed by silence ("pad"); mel powers in
    decibels, Slaney scale (Wu et al. 2023, "Large-scale contrastive language-audio pretraining", section 3.3). Equal to
    `transformers.ClapFeatureExtractor` with truncation "rand_trunc". Unlike it, a longer sound is not cut at a
    random place: its beginning is heard, so that the same sound always has the same row (`encode.cutting.Cutting`
    cuts a long sound into pieces before).
    """

    def __init__(
        self,
        settings: MelSettings | None = None,
        *,
        window: int = 480_000,
        padding: Literal["repeatpad", "repeat", "pad"] = "repeatpad",
    ) -> None:
        super().__init__()
        settings = settings or PUBLISHED
        self.sample_rate = settings.sample_rate
        self.window = window
        self.padding = padding
        self.mel = Mel(settings)

    @classmethod
    def like(cls, extractor: Any) -> ClapMel:
        """With the settings of a `ClapFeatureExtractor`, whatever its truncation."""
        settings = MelSettings(
            sample_rate=extractor.sampling_rate,
            n_fft=extractor.fft_window_size,
            window=extractor.fft_window_size,
            hop=extractor.hop_length,
            padding="reflect",
            bands=extractor.feature_size,
            lowest_hz=extractor.frequency_min,
            highest_hz=extractor.frequency_max,
        )
        return cls(settings, window=extractor.nb_max_samples, padding=extractor.padding)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: (b,) how many samples of each row are real. None: all are."""
        filled = self._filled(samples, whole(samples) if lengths is None else lengths)
        return power_to_db(self.mel(filled), top_db=None)[:, None]

    def _filled(self, samples: Tensor, lengths: Tensor) -> Tensor:
        """Every row as long as the window: (b, n) -> (b, window)."""
        at = torch.arange(self.window, device=samples.device)[None]
        own = lengths[:, None].clamp(max=self.window)
        repeated = samples.gather(1, at % own)
        if self.padding == "repeat":
            return repeated
        times = self.window // own if self.padding == "repeatpad" else 1
        return repeated * (at < times * own)
