"""Residual networks of 3D convolutions, whole or factored into space and time.

Tran et al. 2018, "A closer look at spatiotemporal convolutions for action recognition", CVPR: R3D (section 3.3) and
R(2+1)D (section 3.5), with the basic blocks of He et al. 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from duretrieval.encode.hub.preprocessing import Channels, Fit, Preprocessing
from duretrieval.errors import ConfigError
from duretrieval.training.nets.image.weights import check_choice, load_weights
from duretrieval.training.nets.video.net import FilmNet

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
"""Layers -> blocks in each of the four stages."""
WIDTHS = (64, 128, 256, 512)
KINETICS_MEAN: Channels = (0.43216, 0.394666, 0.37645)
KINETICS_STD: Channels = (0.22803, 0.22145, 0.216989)


def r2plus1d(
    layers: int = 18,
    *,
    frames: int = 16,
    weights: Path | str | None = None,
    side: int | None = None,
    fit: Fit | None = None,
    widths: Sequence[int] = WIDTHS,
) -> FilmNet:
    """R(2+1)D of 10, 18 or 34 layers without its classifier: the mean over places and time, `widths[-1]`-d.

    weights: a file in torchvision's format of r2plus1d_18 (stem.0.weight, layer1.0.conv1.0.0.weight ...); None draws
    them.  side: None reads squares of 128 and looks at the middle 112, as the published weights were tested; a number
    reads whole squares of that side.

    Raises:
        ConfigError: a setting is none of those there are.
        ModelError: the file of weights cannot be read, or is of another network.
    """
    return _film_net(layers, True, frames, weights, side, fit, widths)


def r3d(
    layers: int = 18,
    *,
    frames: int = 16,
    weights: Path | str | None = None,
    side: int | None = None,
    fit: Fit | None = None,
    widths: Sequence[int] = WIDTHS,
) -> FilmNet:
    """R3D: as `r2plus1d`, with whole 3 x 3 x 3 convolutions; weights in torchvision's format of r3d_18."""
    return _film_net(layers, False, frames, weights, side, fit, widths)


def _film_net(
    layers: int,
    factored: bool,
    frames: int,
    weights: Path | str | None,
    side: int | None,
    fit: Fit | None,
    widths: Sequence[int],
) -> FilmNet:
    check_choice("layers", layers, tuple(BLOCKS))
    if len(widths) != 4:
        raise ConfigError(f"widths is {tuple(widths)}; give four, one for each stage")
    backbone = VideoResNet(BLOCKS[layers], widths, factored)
    if weights is not None:
        load_weights(backbone, weights, dropped=("fc.",))
    preprocessing = Preprocessing.of(128, crop=112, mean=KINETICS_MEAN, std=KINETICS_STD).at(side, fit)
    return FilmNet(backbone, preprocessing, dim=widths[-1], frames=frames)


class VideoResNet(nn.Module):
    """(b, t, 3, side, side) -> (b, widths[-1]); names as in torchvision's files."""

    def __init__(self, blocks: Sequence[int], widths: Sequence[int], factored: bool) -> None:
        super().__init__()
        self.stem = _stem(widths[0], factored)
        before = [widths[0], *widths[:-1]]
        stages = [
            nn.Sequential(
                *(Block(wide if i else narrow, wide, 2 if n and not i else 1, factored) for i in range(depth))
            )
            for n, (depth, narrow, wide) in enumerate(zip(blocks, before, widths, strict=True))
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        for part in self.modules():
            if isinstance(part, nn.Conv3d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, side, side) -> (b, dim)."""
        maps = self.stem(clips.transpose(1, 2))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        row: Tensor = maps.mean(dim=(2, 3, 4))
        return row


class Block(nn.Module):
    """relu(x + conv(relu(conv(x)))), each convolution followed by batch norm; stride 2 halves time and both sides."""

    def __init__(self, narrow: int, wide: int, stride: int, factored: bool) -> None:
        super().__init__()
        middle = between(narrow, wide) if factored else None
        relu = nn.ReLU(inplace=True)
        self.conv1 = nn.Sequential(_convolution(narrow, wide, stride, middle), nn.BatchNorm3d(wide), relu)
        self.conv2 = nn.Sequential(_convolution(wide, wide, 1, middle), nn.BatchNorm3d(wide))
        self.relu = relu
        self.downsample: nn.Sequential | None = None
        if stride != 1 or narrow != wide:
            pointwise = nn.Conv3d(narrow, wide, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(pointwise, nn.BatchNorm3d(wide))

    def forward(self, maps: Tensor) -> Tensor:
        """(b, narrow, t, h, w) -> (b, wide, t', h', w')."""
        beside = maps if self.downsample is None else self.downsample(maps)
        out: Tensor = self.relu(self.conv2(self.conv1(maps)) + beside)
        return out


def between(narrow: int, wide: int) -> int:
    """Channels between space and time, so that both hold the weights of one 3 x 3 x 3 convolution.

    M = floor(t d² N_in N_out / (d² N_in + t N_out)), t = d = 3 (section 3.5).  Unlike the paper, and as in the
    published weights, a block's two convolutions share the M of its first.
    """
    return 27 * narrow * wide // (9 * narrow + 3 * wide)


def _convolution(narrow: int, wide: int, stride: int, middle: int | None) -> nn.Module:
    """3 x 3 x 3, or 1 x 3 x 3 in space to `middle` channels, batch norm, ReLU, then 3 x 1 x 1 in time."""
    if middle is None:
        return nn.Conv3d(narrow, wide, 3, stride=stride, padding=1, bias=False)
    space = nn.Conv3d(narrow, middle, (1, 3, 3), stride=(1, stride, stride), padding=(0, 1, 1), bias=False)
    time = nn.Conv3d(middle, wide, (3, 1, 1), stride=(stride, 1, 1), padding=(1, 0, 0), bias=False)
    return nn.Sequential(space, nn.BatchNorm3d(middle), nn.ReLU(inplace=True), time)


def _stem(wide: int, factored: bool) -> nn.Sequential:
    """3 x 7 x 7 with stride 2 in space; factored, with 45 channels between at the published width of 64."""
    if not factored:
        whole = nn.Conv3d(3, wide, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
        return nn.Sequential(whole, nn.BatchNorm3d(wide), nn.ReLU(inplace=True))
    middle = max(1, 45 * wide // 64)
    space = nn.Conv3d(3, middle, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False)
    time = nn.Conv3d(middle, wide, (3, 1, 1), padding=(1, 0, 0), bias=False)
    parts = [space, nn.BatchNorm3d(middle), nn.ReLU(inplace=True), time, nn.BatchNorm3d(wide), nn.ReLU(inplace=True)]
    return nn.Sequential(*parts)
