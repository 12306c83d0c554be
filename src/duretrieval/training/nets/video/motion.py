"""What moves between the frames of a clip, as maps that a network of pictures can read."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW = 9
"""Side of the neighbourhood that moves together, in pixels."""
STILL = 1e-3
"""Added to the diagonal: where there is no structure to follow, nothing moves."""


class Differences(nn.Module):
    """Each frame less the one before: (b, t, 3, h, w) -> (b, 3(t - 1), h, w).

    Wang et al. 2016, "Temporal segment networks", section 3.2, "RGB difference".
    """

    channels = 3
    """Maps for each pair of frames."""

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, h, w) -> (b, 3(t - 1), h, w)."""
        return (clips[:, 1:] - clips[:, :-1]).flatten(1, 2)


class Flow(nn.Module):
    """How far each place moves to the right and down, in pixels: (b, t, 3, h, w) -> (b, 2(t - 1), h, w).

    Lucas & Kanade 1981, "An iterative image registration technique", one step without a pyramid: in a window around
    each place, the v that minimises sum (I_x v_x + I_y v_y + I_t)², I the mean of the channels, I_x and I_y central
    differences of the two frames' mean.  It follows movements of about a pixel; shrink the pictures (`side`), or take
    frames closer together (`Reading.window_s`), where they are larger.
    """

    channels = 2

    def forward(self, clips: Tensor) -> Tensor:
        """(b, t, 3, h, w) -> (b, 2(t - 1), h, w), right and down of the first pair of frames, then of the next."""
        grey = clips.mean(dim=2)
        before, after = grey[:, :-1], grey[:, 1:]
        x, y = _slopes((before + after) / 2)
        t = after - before
        xx, yy, xy, xt, yt = (_around(a * b) for a, b in ((x, x), (y, y), (x, y), (x, t), (y, t)))
        xx, yy = xx + STILL, yy + STILL
        determinant = xx * yy - xy * xy
        right = (xy * yt - yy * xt) / determinant
        down = (xy * xt - xx * yt) / determinant
        return torch.stack([right, down], dim=2).flatten(1, 2)


def _slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences to the right and down, the edge repeated: (b, t, h, w) each."""
    wide = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    return (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2, (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2


def _around(maps: Tensor) -> Tensor:
    """Mean over the window around each place."""
    return functional.avg_pool2d(maps, WINDOW, stride=1, padding=WINDOW // 2)
