"""Dropout whose mask is drawn from 16 random bits a number.

PyTorch draws a Bernoulli variable a number, which on a CPU takes as long as a small matrix product; bits come four
numbers at a time (`python -m benchmarks.steps` measures a step with this against one with PyTorch's).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from duretrieval.errors import ConfigError

LEVELS = 2**16


class Dropout(nn.Module):
    """f(x) = x * m / (1 - p), m = 0 with probability p, else 1; f(x) = x in evaluation mode (Srivastava et al. 2014).

    p: rounded to a multiple of 1/65,536, and the scale is that of the rounded one, so that the mean stays exact.

    Raises:
        ConfigError: p is not from 0 to below 1.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ConfigError(f"dropout is {p:g}; it must be from 0 to below 1")
        self.p = p

    def forward(self, rows: Tensor) -> Tensor:
        """(...) -> (...)."""
        dropped = round(self.p * LEVELS)
        if not self.training or dropped == 0:
            return rows
        if rows.device.type != "cpu":  # there PyTorch's own is one quick kernel
            return dropout(rows, self.p)
        bits = torch.empty(-(-rows.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        numbers = bits.view(torch.int16)[: rows.numel()].view(rows.shape).float()
        scales = numbers.ge_(dropped - LEVELS // 2).mul_(LEVELS / (LEVELS - dropped))
        return rows * scales.to(rows.dtype)
