"""Convolutional networks on the log-mel spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from duretrieval.encode.cutting import Cutting
from duretrieval.errors import ConfigError
from duretrieval.training.nets.audio.mel import Mel, MelSettings, power_to_db
from duretrieval.training.nets.audio.sound import SoundNet

LOWEST_HZ, HIGHEST_HZ = 50.0, 14_000.0


class Cnn(SoundNet):
    """Blocks of convolutions, each halving time and frequency; the mean over frequency, the maximum plus the mean over
    time, and one layer with ReLU: (b, dim) (Kong et al. 2020, "PANNs: large-scale pretrained audio neural networks for
    audio pattern recognition", table 1, section II).

    widths: channels of each block.  kernel: 5 is one 5x5 convolution a block (Cnn6), 3 is two 3x3 (Cnn10, Cnn14).
    dim: of the last layer.  Spectra of 32 ms every 10 ms from 50 Hz on. A sound may have any length; one shorter than a
    frame after the last halving is followed by silence.

    In training, batch normalisation also counts the silence after the shorter sounds of a batch.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (64, 128, 256, 512),
        kernel: Literal[3, 5] = 5,
        dim: int = 512,
        sample_rate: int = 16_000,
        bands: int = 64,
        dropout: float = 0.2,
    ) -> None:
        """Raises ConfigError where the sizes fit no network."""
        if kernel not in (3, 5):
            raise ConfigError(f"kernel is {kernel}; give 5 for one 5x5 convolution a block, or 3 for two 3x3")
        halvings = min(len(widths), 5)
        if not widths or bands >> halvings == 0:
            raise ConfigError(
                f"{bands} bands cannot be halved by {len(widths)} blocks; give fewer blocks or more bands"
            )
        settings = panns_settings(sample_rate, bands)
        shortest = max((2**halvings - 1) * settings.hop, settings.n_fft // 2 + 1)
        super().__init__(dim=dim, sample_rate=sample_rate, cutting=Cutting(shortest=shortest))
        self.front = Mel(settings)
        self.bn0 = nn.BatchNorm1d(bands)
        self.blocks = len(widths)
        for i, (width_in, width) in enumerate(zip((1, *widths), widths, strict=False), start=1):
            block = Block(width_in, width, kernel, pool=2 if i <= halvings else 1)
            self.add_module(f"conv_block{i}", block)  # the names of the published checkpoints
        self.fc1 = nn.Linear(widths[-1], dim)
        nn.init.xavier_uniform_(self.fc1.weight)
        nn.init.zeros_(self.fc1.bias)
        self.dropout = dropout

    def rows(self, samples: Tensor, lengths: Tensor | None) -> Tensor:
        """See `SoundNet.rows`."""
        db = power_to_db(self.front(samples, lengths), top_db=None)
        x = self.bn0(db.transpose(1, 2)).transpose(1, 2)[:, None]
        frames = None if lengths is None else self.front.frames(lengths)
        for i in range(1, self.blocks + 1):
            x, frames = self.get_submodule(f"conv_block{i}")(x, frames)
            x = functional.dropout(x, self.dropout, self.training)
        x = max_plus_mean(x.mean(dim=3), frames)
        x = functional.dropout(x, min(2.5 * self.dropout, 0.5), self.training)
        return functional.relu(self.fc1(x))


class Block(nn.Module):
    """Convolutions with batch normalisation and ReLU, then an average over squares.

    (b, c, t, f) -> (b, width, t // pool, f // pool).
    """

    def __init__(self, width_in: int, width: int, kernel: int, *, pool: int) -> None:
        super().__init__()
        self.pool = pool
        self.twice = kernel == 3
        self.conv1 = convolution(width_in, width, kernel)
        self.bn1 = nn.BatchNorm2d(width)
        if self.twice:
            self.conv2 = convolution(width, width, kernel)
            self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor, frames: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """frames: (b,) how many of each row are real; None: all are. The same of what comes out."""
        x = functional.relu(self.bn1(self.conv1(masked(x, frames))))
        if self.twice:
            x = functional.relu(self.bn2(self.conv2(masked(x, frames))))
        return functional.avg_pool2d(x, self.pool), None if frames is None else frames // self.pool


def convolution(width_in: int, width: int, kernel: int) -> nn.Conv2d:
    """A convolution that keeps the size, with Glorot's uniform weights."""
    layer = nn.Conv2d(width_in, width, kernel, padding=kernel // 2, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer


def masked(x: Tensor, frames: Tensor | None) -> Tensor:
    """Zero from each row's own end on, which is what a convolution sees beyond the edge: (b, c, t, f)."""
    if frames is None:
        return x
    return x * (torch.arange(x.shape[2], device=x.device)[None] < frames[:, None])[:, None, :, None]


def max_plus_mean(x: Tensor, frames: Tensor | None) -> Tensor:
    """max_t x + mean_t x over each row's own frames: (b, c, t) -> (b, c)."""
    if frames is None:
        return x.amax(dim=2) + x.mean(dim=2)
    there = (torch.arange(x.shape[2], device=x.device)[None] < frames[:, None])[:, None]
    mean = (x * there).sum(dim=2) / frames[:, None]
    return x.masked_fill(~there, -torch.inf).amax(dim=2) + mean


def panns_settings(sample_rate: int, bands: int = 64) -> MelSettings:
    """The published front ends at 8, 16 and 32 kHz, and the like at other rates."""
    n_fft = int(2 ** round(torch.log2(torch.tensor(0.032 * sample_rate)).item()))
    return MelSettings(
        sample_rate=sample_rate,
        n_fft=n_fft,
        window=n_fft,
        hop=sample_rate // 100,
        padding="reflect",
        bands=bands,
        lowest_hz=LOWEST_HZ,
        highest_hz=min(HIGHEST_HZ, sample_rate / 2),
    )
