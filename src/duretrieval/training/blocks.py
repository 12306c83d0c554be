"""A computation over many pairs in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

NUMBERS = 2**24
"""Numbers that one block may hold: 64 MiB of float32."""


def in_blocks(function: Callable[[Tensor], Tensor], rows: Tensor, width: int, numbers: int = NUMBERS) -> Tensor:
    """function(rows), block by block along the first axis: (n, ...) -> (n, ...).

    width: numbers that the function holds for one row.  Where there are several blocks, the backward pass computes each
    again instead of keeping what it held (Chen et al. 2016, "Training deep nets with sublinear memory cost").
    """
    at_once = max(1, numbers // max(1, width))
    if len(rows) <= at_once:
        return function(rows)
    found: list[Tensor] = []
    for block in torch.split(rows, at_once):
        if torch.is_grad_enabled():
            found.append(checkpoint(function, block, use_reentrant=False, preserve_rng_state=False))
        else:
            found.append(function(block))
    return torch.cat(found)
