"""What fusions of sequences share: of each modality one row, or its words, regions, frames or patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.nets.fusion.stacked import Stacked, check_given, dropped
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality


class Sequenced(Stacked):
    """A fusion whose modalities come as one row, (b, width), or as a sequence of tokens, (b, t, width).

    tokens: modality -> the most tokens that a part of it has; a modality that is not named comes as one row.  Tokens
    have weights, 0 where there is none; those of a modality are made to sum to 1, so that a picture of 49 regions
    counts no more than a text of five words.  A subclass says in `attended` what becomes of them.

    Raises:
        ConfigError: as `Stacked`; tokens of a modality that is not fused.
    """

    takes_tokens = True

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        drop: float = 0.0,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        if unknown := sorted(set(tokens or {}) - set(self.modalities)):
            raise ConfigError(f"tokens of {', '.join(unknown)} are not fused; name only {', '.join(self.modalities)}")
        self.tokens = {Modality(name): most for name, most in (tokens or {}).items()}

    def forward(self, rows: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor] | None = None, /) -> Tensor:
        """modality -> (b, width) or (b, t, width), modality -> (b,) or (b, t), bool or weights; (b, dim).

        Raises:
            ShapeError, ConfigError: as `sequences`.
        """
        tokens, weights = sequences(rows, present, self.modalities, self.width)
        if self.training and self.drop:
            there = torch.stack([found.sum(dim=1) > 0 for found in weights], dim=1)
            kept = dropped(there, self.drop).to(weights[0].dtype)
            weights = [found * kept[:, i, None] for i, found in enumerate(weights)]
        return self.fuse_tokens(tokens, weights)

    def fuse(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) bool -> (b, dim): a token a modality."""
        weights = present.to(rows.dtype)
        return self.fuse_tokens(torch.split(rows, 1, dim=1), torch.split(weights, 1, dim=1))

    def fuse_tokens(self, tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        """A (b, t, width) and a (b, t) for each modality, in order -> (b, dim); zero where nothing is there."""
        tokens = [found.masked_fill((w <= 0)[:, :, None], 0.0) for found, w in zip(tokens, weights, strict=True)]
        sums = [w.sum(dim=1, keepdim=True) for w in weights]
        shares = [w / (total + (total <= 0)) for w, total in zip(weights, sums, strict=True)]
        there = torch.cat(sums, dim=1) > 0
        return self.attended(tokens, shares).masked_fill(~there.any(dim=1, keepdim=True), 0.0)

    def attended(self, tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        """The same, of tokens that are zero where they are absent and weights that sum to 1 where any is there."""
        raise NotImplementedError

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx: of each modality NAME (n, t, width) and NAME_weights (n, t) float32 -> (n, dim).

        Returns its entry in model.toml, for `duretrieval.fuse.attention.OnnxAttention`.
        """
        inputs: dict[str, Tensor] = {}
        for place, modality in enumerate(self.modalities):
            inputs[modality.value] = torch.rand(2, 3 + place, self.width)
            inputs[f"{modality.value}_weights"] = torch.ones(2, 3 + place)
        path = Path(folder) / f"{name}.onnx"
        to_onnx(_Graph(self).train(self.training), path, inputs, free={key: [1] for key in inputs}, output="fused")
        options: dict[str, Any] = {"file": path.name, "dim": self.dim, "width": self.width}
        options["modalities"] = [modality.value for modality in self.modalities]
        if self.tokens:
            options["tokens"] = {modality.value: most for modality, most in self.tokens.items()}
        return {"use": "onnx-attention", "options": options}


class _Graph(nn.Module):
    """`Sequenced.fuse_tokens` of tensors that follow one another."""

    def __init__(self, fusion: Sequenced) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.fusion.fuse_tokens(inputs[::2], inputs[1::2])


def sequences(
    rows: Mapping[Modality, Tensor],
    present: Mapping[Modality, Tensor] | None,
    modalities: Sequence[Modality],
    width: int,
) -> tuple[list[Tensor], list[Tensor]]:
    """In the order of `modalities`: tokens (b, t, width) and weights (b, t); one of weight 0 where one is not given.

    Raises:
        ConfigError: a modality that is not among `modalities`.
        ShapeError: no rows at all, rows of another width, or not as many of each modality or in `present`.
    """
    check_given(rows, modalities)
    first = next(iter(rows.values()))
    b = len(first)
    tokens: list[Tensor] = []
    weights: list[Tensor] = []
    for modality in modalities:
        given = rows.get(modality)
        if given is None:
            tokens.append(first.new_zeros(b, 1, width))
            weights.append(first.new_zeros(b, 1))
            continue
        found = given[:, None] if given.ndim == 2 else given
        if found.ndim != 3 or (len(found), found.shape[-1]) != (b, width):
            wanted = f"({b}, {width})" if given.ndim == 2 else f"({b}, t, {width})"
            raise ShapeError(f"expected rows of {modality} {wanted}; got {tuple(given.shape)}")
        mask = (present or {}).get(modality)
        held = found.new_ones(found.shape[:2]) if mask is None else mask.to(found.dtype)
        held = held[:, None].expand(found.shape[:2]) if held.ndim == 1 and len(held) == b else held
        if held.shape != found.shape[:2]:
            wanted = f"({b},)" if given.ndim == 2 else f"({b}, {found.shape[1]})"
            raise ShapeError(f"expected present {wanted} for {modality}; got {tuple(mask.shape)}")  # type: ignore[union-attr]
        tokens.append(found)
        weights.append(held)
    return tokens, weights


def middles(tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """The mean of the modalities that are there, each the mean of its tokens: (b, width); weights as in `attended`."""
    sums = torch.stack([(w[:, None, :] @ x).squeeze(1) for x, w in zip(tokens, weights, strict=True)])
    there = torch.stack([w.sum(dim=1) for w in weights]).sum(dim=0).clamp(min=1)
    middle: Tensor = sums.sum(dim=0) / there[:, None]
    return middle
