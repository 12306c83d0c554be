"""Mel spectrograms, and their logarithms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from duretrieval.encode.mel_filters import Scale, mel_filters
from duretrieval.training.nets.audio.spectrum import Padding, Spectrum, hann_basis
from duretrieval.types import Floats


@dataclass(frozen=True, slots=True)
class MelSettings:
    """A mel spectrogram; lengths in samples."""

    sample_rate: int = 16_000
    n_fft: int = 512
    window: int = 400
    hop: int = 160
    padding: Padding = "zeros"
    bands: int = 64
    lowest_hz: float = 0.0
    highest_hz: float | None = None
    """None: half the sample rate."""
    scale: Scale = "slaney"
    area: bool = True
    """Bands weighted by one over their width ("slaney" normalisation)."""
    magnitude: bool = False
    """Sum magnitudes |X| into bands, not powers |X|²."""


class Mel(nn.Module):
    """Spectra summed into mel bands: samples (b, n) -> (b, t, bands) float32.

    Equal to `librosa.feature.melspectrogram` (transposed) with the same settings, whose `norm` is `area` and whose
    `pad_mode` "constant" is `padding` "zeros".
    """

    weights: Tensor

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        weights = mel_filters(
            sample_rate=settings.sample_rate,
            n_fft=settings.n_fft,
            bands=settings.bands,
            lowest_hz=settings.lowest_hz,
            highest_hz=settings.highest_hz,
            scale=settings.scale,
            area=settings.area,
        )
        used = heard_bins(weights)
        basis = hann_basis(settings.n_fft, settings.window, used=used)
        self.spectrum = Spectrum(basis, hop=settings.hop, padding=settings.padding)
        self.magnitude = settings.magnitude
        self.register_buffer("weights", torch.tensor(weights[used], dtype=torch.float32), persistent=False)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """lengths: as `Spectrum`; frames from `frames(lengths)` on hold nothing of the sound."""
        spectra = self.spectrum(samples, lengths)
        with torch.autocast(samples.device.type, enabled=False):
            mel: Tensor = (spectra.sqrt() if self.magnitude else spectra) @ self.weights
        return mel

    def frames(self, lengths: Tensor) -> Tensor:
        """How many frames sounds of some lengths have: (b,) -> (b,)."""
        return self.spectrum.frames(lengths)


def heard_bins(weights: Floats) -> slice:
    """The bins that any band uses, so that no others are computed: (f, bands) -> a slice of f."""
    heard = np.flatnonzero(weights.any(axis=1))
    return slice(int(heard[0]), int(heard[-1]) + 1)


def power_to_db(mel: Tensor, *, reference: float = 1.0, floor: float = 1e-10, top_db: float | None = 80.0) -> Tensor:
    """Decibels: (b, t, bands) powers -> 10 log10(max(mel, floor) / max(reference, floor)).

    top_db: nothing of a row is further than this below its loudest value. Equal to `librosa.power_to_db` of each row.
    """
    db = 10.0 * mel.clamp(min=floor).log10() - 10.0 * float(np.log10(max(reference, floor)))
    if top_db is not None:
        db = torch.maximum(db, db.amax(dim=(1, 2), keepdim=True) - top_db)
    return db
