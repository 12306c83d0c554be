"""TensorFlow's "same" padding, which puts the odd pixel after, not before."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """x (b, c, h, w) with zeros so that a convolution gives ceil(h / stride) by ceil(w / stride)."""
    sides = []
    for size in (int(x.shape[-1]), int(x.shape[-2])):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)
