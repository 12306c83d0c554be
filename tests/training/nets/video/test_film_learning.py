"""Film encoders learn what a picture encoder cannot: which way things move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from duretrieval.training import parts
from duretrieval.types import Modality, Part

SIDE, FRAMES = 32, 4
CONVOLUTION: dict[str, Any] = {"layers": 10, "widths": [8, 8, 16, 16], "side": SIDE, "frames": FRAMES}
STREAMS: dict[str, Any] = {
    "widths": [8, 16, 16, 16, 16],
    "hidden": [32, 16],
    "side": SIDE,
    "frames": FRAMES,
    "looks": 1,
}


def batch(n: int, rng: np.random.Generator) -> tuple[list[Part], torch.Tensor]:
    """A bright bar that moves 2 pixels a frame, to the right or to the left; every single frame could be of either."""
    films = np.full((n, FRAMES, SIDE, SIDE, 3), 40, np.uint8)
    rightward = rng.integers(0, 2, n)
    for film, right in zip(films, rightward, strict=True):
        middle, top = rng.integers(10, SIDE - 14), rng.integers(0, SIDE - 10)
        for i in range(FRAMES):
            x = middle + (2 * i - FRAMES + 1) * (1 if right else -1)
            film[i, top : top + 10, x : x + 6] = 220
    return [Part(Modality.VIDEO, film) for film in films], torch.from_numpy(rightward)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("r2plus1d", CONVOLUTION),
        ("two-stream", STREAMS),
        ("two-stream", {**STREAMS, "motion": "flow"}),
    ],
    ids=["r2plus1d", "difference", "flow"],
)
def test_direction_is_learned(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = parts.find("train.encoders", name)(**options)
    classes = nn.Linear(net.dim, 2)
    optimizer = torch.optim.AdamW([*net.parameters(), *classes.parameters()], lr=3e-3)
    for _ in range(40):
        films, rightward = batch(24, rng)
        loss = functional.cross_entropy(classes(net(**net.prepare(films))), rightward)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    films, rightward = batch(200, rng)
    with torch.no_grad():
        right = classes(net.eval()(**net.prepare(films))).argmax(dim=1) == rightward
    assert right.float().mean() > 0.9
