"""A sound as the statistics of its cepstral coefficients: the baseline that needs no pretrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from duretrieval.encode.cutting import Cutting
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.mel import MelSettings
from duretrieval.training.nets.audio.mfcc import DELTA_FRAMES, Mfcc, delta
from duretrieval.training.nets.audio.sound import SoundNet
from duretrieval.types import Part


class MfccStatistics(SoundNet):
    """Mean and standard deviation over time of the coefficients and of their derivatives, each dimension centred and
    scaled: (b, 2 n_mfcc (1 + deltas)).

    row = (statistics - centre) scale.  centre and scale are all that learns; they are 0 and 1 until `fit` or
    training. Without either the loudness, coefficient 0, outweighs all others.  deltas: 0, 1 or 2 derivatives.
    """

    def __init__(
        self, *, sample_rate: int = 16_000, n_mfcc: int = 20, bands: int = 64, deltas: int = 2, window_s: float = 0.025
    ) -> None:
        """window_s: of one spectrum; there is one every 10 ms."""
        if deltas not in (0, 1, 2):
            raise ConfigError(f"deltas is {deltas}; give 0, 1 or 2 derivatives")
        window, hop = round(window_s * sample_rate), sample_rate // 100
        n_fft = 1 << (window - 1).bit_length()
        super().__init__(
            dim=2 * n_mfcc * (1 + deltas),
            sample_rate=sample_rate,
            cutting=Cutting(shortest=(DELTA_FRAMES - 1) * hop),
        )
        self.deltas = deltas
        self.front = Mfcc(
            MelSettings(sample_rate=sample_rate, n_fft=n_fft, window=window, hop=hop, bands=bands), n_mfcc
        )
        self.centre = nn.Parameter(torch.zeros(self.dim))
        self.scale = nn.Parameter(torch.ones(self.dim))

    @torch.no_grad()
    def fit(self, parts: Sequence[Part]) -> Self:
        """Make every dimension of these sounds' rows have mean 0 and standard deviation 1; one that is constant stays
        as it is. Returns itself.

        Raises:
            ShapeError: as `prepare`.
        """
        self.centre.zero_()
        self.scale.fill_(1.0)
        rows = torch.cat([self(**self.prepare([part])) for part in parts])
        spread = rows.std(dim=0, correction=0)
        self.centre.copy_(rows.mean(dim=0))
        self.scale.copy_(torch.where(spread > 1e-6 * rows.abs().amax(), 1 / spread, 1.0))
        return self

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        coefficients = self.front(samples, lengths)
        frames = None if lengths is None else self.front.frames(lengths)
        kinds = [coefficients] + [delta(coefficients, order, frames) for order in range(1, self.deltas + 1)]
        mean, spread = mean_and_spread(torch.cat(kinds, dim=-1), frames)
        return (torch.cat([mean, spread], dim=-1) - self.centre) * self.scale


def mean_and_spread(features: Tensor, frames: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over each row's own frames: (b, t, f) -> two (b, f)."""
    if frames is None:
        return features.mean(dim=1), features.std(dim=1, correction=0)
    there = (torch.arange(features.shape[1], device=features.device)[None] < frames[:, None])[..., None]
    mean = (features * there).sum(dim=1) / frames[:, None]
    variance = ((features - mean[:, None]).square() * there).sum(dim=1) / frames[:, None]
    return mean, variance.sqrt()
