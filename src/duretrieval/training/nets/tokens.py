"""The tokens of a net, as a module that a graph is made of, and as rows with their owners."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class TokensOf(nn.Module):
    """`net.sequence` without saying which are there: (b, t, dim)."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.train(net.training)

    def forward(self, *inputs: Tensor) -> Tensor:
        """(b, t, dim)."""
        tokens: Tensor = self.net.sequence(*inputs)[0]
        return tokens


def shortened(tokens: Tensor, there: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """(b, t, d), (b, t) bool -> those that are there, (w, d), `most` a part at most, and of each its part (w,).

    As `encode.sequences.shortened` in the engine: means of stretches of neighbours; not yet unit.
    """
    counts = there.sum(dim=1)
    kept = counts.clamp(max=most)
    part, _ = there.nonzero(as_tuple=True)
    within = there.cumsum(dim=1)[there] - 1
    place = (kept.cumsum(dim=0) - kept)[part] + within * kept[part] // counts[part]
    sums = tokens.new_zeros(int(kept.sum()), tokens.shape[2]).index_add(0, place, tokens[there])
    held = torch.bincount(place, minlength=len(sums))
    return sums / held[:, None], torch.repeat_interleave(torch.arange(len(kept), device=kept.device), kept)


def padded(rows: Tensor, owners: Tensor, b: int) -> tuple[Tensor, Tensor]:
    """Rows (w, d) side by side by whom they belong to, (w,) of b: (b, t, d), (b, t) bool; t >= 1."""
    order = owners.argsort(stable=True)
    counts = torch.bincount(owners, minlength=b)
    begins = counts.cumsum(dim=0) - counts
    owner = owners[order]
    place = torch.arange(len(owner), device=owner.device) - begins[owner]
    t = max(1, int(counts.max()))
    tokens = rows.new_zeros(b, t, rows.shape[1]).index_put((owner, place), rows[order])
    return tokens, torch.arange(t, device=owner.device)[None, :] < counts[:, None]
