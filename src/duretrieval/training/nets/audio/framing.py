"""Samples laid out for a graph whose sounds have any length."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def frames(samples: Tensor, taps: int, hop: int) -> Tensor:
    """Overlapping pieces: (b, n) -> (b, (n - taps) // hop + 1, taps).

    frames([[0, 1, 2, 3]], taps=2, hop=1) == [[[0, 1], [1, 2], [2, 3]]].
    Blocks of `hop` samples laid beside the blocks that follow them; unlike `Tensor.unfold` it has a graph for any n.
    """
    blocks = -(-taps // hop)
    missing = blocks * hop - taps
    samples = functional.pad(samples, (0, missing))
    count = (samples.shape[1] - blocks * hop) // hop + 1
    laid = samples[:, : (count + blocks - 1) * hop].reshape(samples.shape[0], -1, hop)
    return torch.cat([laid[:, i : i + count] for i in range(blocks)], dim=-1)[..., :taps]


def mirrored(samples: Tensor, lengths: Tensor, half: int) -> Tensor:
    """Each row with `half` samples mirrored at both of its own ends: (b, n) -> (b, n + 2 half), 0 beyond.

    mirrored([[1, 2, 3, 0]], [3], 1) == [[2, 1, 2, 3, 2, 0]].  Every length is above `half`.
    """
    at = torch.arange(-half, samples.shape[1] + half, device=samples.device)[None]
    last = lengths[:, None] - 1
    folded = last - (last - at.abs()).abs()
    inside = (at <= last + half).to(samples.dtype)
    return samples.gather(1, folded.clamp(min=0)) * inside


def whole(samples: Tensor) -> Tensor:
    """The lengths of rows of which every sample is real: (b, n) -> (b,), also inside a graph, where n is not known."""
    return torch.ones_like(samples, dtype=torch.int64).sum(dim=1)


def filled_to(samples: Tensor, n: int) -> Tensor:
    """Zeros after the end, or the beginning alone: (b, any) -> (b, n).  filled_to([[1, 2]], 3) == [[1, 2, 0]]."""
    return functional.pad(samples, (0, n))[:, :n]
