"""What a network is asked on the side: once, without learning from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Without gradients and in evaluation mode; afterwards every part is in the mode it was in."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def positions_fixed(backbone: nn.Module, look: Tensor) -> Iterator[None]:
    """While a graph is made: position embeddings resized to inputs like `look` once, not by the graph for each picture.

    Some transformers resize them by an operation that ONNX does not have (antialiased bicubic).
    """
    resizing = [part for part in backbone.modules() if hasattr(part, "interpolate_pos_encoding")]
    fixed: dict[nn.Module, Tensor] = {}

    def keep(part: Any) -> None:
        resize = part.interpolate_pos_encoding

        def resized(*arguments: Any) -> Tensor:
            fixed[part] = resize(*arguments)
            return fixed[part]

        part.interpolate_pos_encoding = resized

    try:
        for part in resizing:
            keep(part)
        if resizing:
            with evaluating(backbone):
                backbone(look)
        for part, positions in fixed.items():
            vars(part)["interpolate_pos_encoding"] = lambda *_, positions=positions: positions
        yield
    finally:
        for part in resizing:
            vars(part).pop("interpolate_pos_encoding", None)
