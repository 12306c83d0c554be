"""Two streams: what is to be seen, and what moves.

Simonyan & Zisserman 2014, "Two-stream convolutional networks for action recognition in videos", NIPS, figure 1.
Unlike the paper, motion is by default the differences of frames, which need no optical flow (`motion.Flow` computes a
plain one); batch norm stands for local response normalisation; and the streams meet as unit rows side by side, not as
class scores, so that the cosine of two films is the mean of their cosines by appearance and by motion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from duretrieval.encode.frames import middles
from duretrieval.encode.hub.preprocessing import Fit, Preprocessing
from duretrieval.errors import ConfigError
from duretrieval.training.nets.image.net import PictureNet
from duretrieval.training.nets.image.vgg import PLACES, average_to
from duretrieval.training.nets.image.weights import check_choice
from duretrieval.training.nets.video.frames import each_frame, picture_net
from duretrieval.training.nets.video.motion import Differences, Flow
from duretrieval.training.nets.video.net import FilmNet

WIDTHS = (96, 256, 512, 512, 512)
HIDDEN = (4096, 2048)
SMALLEST = 32


def two_stream(
    appearance: PictureNet | Mapping[str, Any] | None = None,
    *,
    motion: Literal["difference", "flow"] = "difference",
    frames: int = 11,
    looks: int = 3,
    side: int | None = None,
    fit: Fit | None = None,
    widths: Sequence[int] = WIDTHS,
    hidden: Sequence[int] = HIDDEN,
    dropout: float = 0.5,
) -> FilmNet:
    """A film encoder of two streams, its rows the two side by side.

    appearance: a picture encoder, or its entry in a recipe; None is the paper's network (`Stream`), drawn.
    frames: 11 gives the paper's stack of 10 steps of motion.  looks: frames, spread over the film, whose appearance is
    averaged.  side: squares that are read; None is 224, or what the picture encoder reads.
    widths, hidden, dropout: of `Stream`.

    Raises:
        ConfigError: a setting cannot be used.
    """
    check_choice("motion", motion, ("difference", "flow"))
    if not 1 <= looks <= frames or frames < 2:
        raise ConfigError(f"frames is {frames} and looks {looks}; give 2 frames or more, and 1 to that many looks")
    steps: Differences | Flow = Differences() if motion == "difference" else Flow()
    net = picture_net(appearance) if appearance is not None else None
    preprocessing = (net.preprocessing if net else Preprocessing.of(224)).at(side, fit)
    if preprocessing.crop < SMALLEST:
        raise ConfigError(f"side is {preprocessing.crop}; the motion stream needs {SMALLEST} or more")
    seen = net.backbone if net else Stream(3, widths, hidden, dropout)
    moving = Stream(steps.channels * (frames - 1), widths, hidden, dropout)
    backbone = TwoStream(seen, steps, moving, middles(frames, looks).tolist())
    return FilmNet(backbone, preprocessing, dim=(net.dim if net else hidden[-1]) + hidden[-1], frames=frames)


class TwoStream(nn.Module):
    """(b, t, 3, side, side) -> (b, d_appearance + d_motion), each half of length 1.

    looks: the frames whose appearance is averaged.
    """

    def __init__(self, appearance: nn.Module, steps: nn.Module, motion: nn.Module, looks: Sequence[int]) -> None:
        super().__init__()
        self.appearance = appearance
        self.steps = steps
        self.motion = motion
        self.looks = list(looks)

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, side, side) -> (b, dim)."""
        rows = each_frame(self.appearance, clips[:, self.looks]).mean(dim=1)
        moved = self.motion(self.steps(clips))
        return torch.cat([functional.normalize(rows, dim=1), functional.normalize(moved, dim=1)], dim=1)


class Stream(nn.Module):
    """The paper's network for one stream, CNN-M-2048, without its classifier: (n, channels, h, w) -> (n, hidden[1]).

    conv 7x7/2, pool, conv 5x5/2, pool, three conv 3x3, pool, two dense layers (Chatfield et al. 2014).  Unlike the
    paper, convolutions keep the size of the map, so that a side of 224 leaves 7 x 7 places.
    """

    def __init__(self, channels: int, widths: Sequence[int], hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        if len(widths) != 5 or len(hidden) != 2:
            raise ConfigError(f"widths {tuple(widths)} and hidden {tuple(hidden)} do not fit; give five and two")
        pool, ins = nn.MaxPool2d(2, 2), [channels, *widths[:4]]
        kinds = [(7, 2, True), (5, 2, True), (3, 1, False), (3, 1, False), (3, 1, True)]
        parts: list[nn.Module] = []
        for (kernel, stride, pooled), narrow, wide in zip(kinds, ins, widths, strict=True):
            parts += [nn.Conv2d(narrow, wide, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
            parts += [pool] if pooled else []
        self.features = nn.Sequential(*parts)
        first, second = nn.Linear(widths[4] * PLACES * PLACES, hidden[0]), nn.Linear(hidden[0], hidden[1])
        self.dense = nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), second, nn.ReLU())

    def forward(self, maps: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, hidden[1])."""
        row: Tensor = self.dense(average_to(self.features(maps), PLACES).flatten(1))
        return row
