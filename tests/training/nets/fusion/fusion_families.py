"""Every fusion that a recipe can name, small, and rows for it to fuse."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from duretrieval.training.nets.fusion.stacked import Stacked
from duretrieval.training.parts import TABLE, find
from duretrieval.types import Modality

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
MODALITIES = (TEXT, IMAGE, AUDIO)
WIDTH = 8

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "attention": [{"score": score} for score in ("dot", "scaled-dot", "additive", "bilinear")],
    "concatenation": [{}, {"dim": 12}, {"dim": 5}],
    "cross-attention": [{}, {"query": "audio", "heads": 2}],
    "gated": [{}, {"dim": 6}],
    "graph-attention": [{}, {"dim": 6, "heads": 2}],
    "low-rank": [{}, {"dim": 6, "rank": 1}],
    "maximum": [{}],
    "tensor": [{}, {"dim": 5}],
    "tucker": [{"inner": 4, "rank": 2}, {"inner": 3, "rank": 0}, {"inner": 8, "dim": 10}],
    "weighted-sum": [{}, {"weights": {"text": 3.0}, "learned": False}],
}
ALL = [(name, options) for name, several in OPTIONS.items() for options in several]
NAMES = [" ".join([name, *(f"{key}={value}" for key, value in options.items())]) for name, options in ALL]
MIXING = {"attention", "maximum", "weighted-sum"}
"""Those of which one row alone comes out as it is."""
assert set(OPTIONS) == set(TABLE["train.fusions"])


def make(name: str, options: dict[str, Any], seed: int = 0) -> Stacked:
    """As it begins."""
    torch.manual_seed(seed)
    fusion: Stacked = find("train.fusions", name)(modalities=list(MODALITIES), width=WIDTH, **options)
    return fusion


def trained(name: str, options: dict[str, Any], seed: int = 0) -> Stacked:
    """As if it had learned: every weight is moved from where it begins."""
    fusion = make(name, options, seed)
    with torch.no_grad():
        for weights in fusion.parameters():
            weights.add_(0.3 * torch.randn_like(weights))
    return fusion.eval()


def rows(n: int = 6, seed: int = 1) -> dict[Modality, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = {m: torch.randn(n, WIDTH, generator=generator) for m in MODALITIES}
    return {m: row / row.norm(dim=1, keepdim=True) for m, row in made.items()}


def presence(n: int = 6) -> dict[Modality, Tensor]:
    """Every choice of one or two of three modalities, once."""
    bits = [(i + 1) % 8 for i in range(n)]
    return {m: torch.tensor([bool(b >> i & 1) for b in bits]) for i, m in enumerate(MODALITIES)}
