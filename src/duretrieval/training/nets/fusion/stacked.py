"""What every fusion here shares: rows of named modalities in a fixed order, those that are there, and the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.plugins import suggest
from duretrieval.training.onnx import to_onnx
from duretrieval.types import MEDIA, Modality


class Stacked(nn.Module):
    """A fusion of the rows of `modalities`, in that order; a subclass says what becomes of them in `fused`.

    width: components of a row in.  dim: components of the row that comes out; None is `width`.  drop: in training, a
    modality that is there is treated as absent with this probability (ModDrop, Neverova et al. 2016, "ModDrop:
    adaptive multi-modal gesture recognition"), so that what is fused of a few modalities is near what is
    fused of all; rows that would lose every modality lose none.

    Raises:
        ConfigError: no modality, one twice, or one that there is not; `drop` is no probability below 1.
    """

    def __init__(
        self, modalities: Sequence[Modality | str], width: int, dim: int | None = None, *, drop: float = 0.0
    ) -> None:
        super().__init__()
        if not 0 <= drop < 1:
            raise ConfigError(f"drop is {drop:g}; it must be a probability, 0 or more and below 1")
        self.modalities = modalities_named(modalities)
        self.width = width
        self.dim = width if dim is None else dim
        self.drop = drop

    def forward(self, rows: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor] | None = None, /) -> Tensor:
        """modality -> (b, width), modality -> (b,) bool; (b, dim), as `contracts.FusionNet`.

        Raises:
            ShapeError, ConfigError: as `stack`.
        """
        stacked, there = stack(rows, present, self.modalities, self.width)
        return self.fuse(stacked, dropped(there, self.drop) if self.training and self.drop else there)

    def fuse(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) bool -> (b, dim); the row of an item of which nothing is there is zero."""
        fused = self.fused(rows.masked_fill(~present[:, :, None], 0.0), present)
        return fused.masked_fill(~present.any(dim=1, keepdim=True), 0.0)

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """The same, of rows that are zero where they are absent; where nothing is there, anything finite."""
        raise NotImplementedError

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """Write `name`.onnx: rows (n, m, width) float32 and present (n, m) float32, 1 where there, -> (n, dim).

        Returns its entry in model.toml, for `duretrieval.fuse.network.OnnxFusion`.
        """
        m = len(self.modalities)
        inputs = {"rows": torch.rand(2, m, self.width), "present": torch.ones(2, m)}
        to_onnx(_Graph(self).train(self.training), Path(folder) / f"{name}.onnx", inputs, output="fused")
        options = {"file": f"{name}.onnx", "dim": self.dim, "width": self.width}
        return {"use": "onnx-fusion", "options": {**options, "modalities": [m.value for m in self.modalities]}}


class _Graph(nn.Module):
    """`Stacked.fuse` with `present` as numbers, which every runtime takes."""

    def __init__(self, fusion: Stacked) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, rows: Tensor, present: Tensor) -> Tensor:
        return self.fusion.fuse(rows, present > 0.5)


def stack(
    rows: Mapping[Modality, Tensor],
    present: Mapping[Modality, Tensor] | None,
    modalities: Sequence[Modality],
    width: int,
) -> tuple[Tensor, Tensor]:
    """Rows in the order of `modalities`, zero where a modality is not in the mapping: (b, m, width), (b, m) bool.

    Raises:
        ConfigError: a modality that is not among `modalities`.
        ShapeError: no rows at all, rows of another width, or not as many of each modality or in `present`.
    """
    check_given(rows, modalities)
    first = next(iter(rows.values()))
    for modality, tensor in rows.items():
        if tensor.shape != (len(first), width):
            raise ShapeError(f"expected rows of {modality} ({len(first)}, {width}); got {tuple(tensor.shape)}")
    zeros, here = first.new_zeros(len(first), width), torch.ones(len(first), dtype=torch.bool, device=first.device)
    for modality, mask in (present or {}).items():
        if mask.shape != here.shape:
            raise ShapeError(f"expected present ({len(first)},) for {modality}; got {tuple(mask.shape)}")
    there = [(present or {}).get(m, here) if m in rows else ~here for m in modalities]
    return torch.stack([rows.get(m, zeros) for m in modalities], dim=1), torch.stack(there, dim=1).bool()


def check_given(rows: Mapping[Modality, Tensor], modalities: Sequence[Modality]) -> None:
    """Raise ConfigError for a modality that is not fused, ShapeError where there is none at all."""
    if unknown := sorted(set(rows) - set(modalities)):
        raise ConfigError(
            f"this fusion was made for {', '.join(modalities)}, and got rows of {', '.join(unknown)}; name it among "
            "the modalities when the fusion is made, or leave it out"
        )
    if not rows:
        raise ShapeError(f"there is nothing to fuse; give rows of at least one of {', '.join(modalities)}")


def dropped(present: Tensor, drop: float) -> Tensor:
    """`present` (b, m) bool without a random share `drop`, but for rows of which nothing would be left."""
    kept = present & (torch.rand(present.shape, device=present.device) >= drop)
    return torch.where(kept.any(dim=1, keepdim=True), kept, present)


def masked_softmax(scores: Tensor, present: Tensor, dim: int = -1) -> Tensor:
    """Softmax over `dim` of what is there; present: bool, broadcast.  Uniform, not nan, where nothing is."""
    return scores.masked_fill(~present, torch.finfo(scores.dtype).min).softmax(dim=dim)


def mean(rows: Tensor, present: Tensor) -> Tensor:
    """Of the rows that are there: (b, m, d), (b, m) bool -> (b, d); zero where none is."""
    weights = present.to(rows.dtype)
    return (weights[:, None, :] @ rows).squeeze(1) / weights.sum(dim=1, keepdim=True).clamp(min=1)


def start(width: int, dim: int) -> Tensor:
    """Where projections begin: (dim, width) the identity, or with another dim a random one that keeps lengths.

    Every modality begins with the same one, and every fusion here so as (about) the mean of the rows that are there:
    what a shared space gives for nothing is not forgotten before training has shown something better.
    """
    return torch.eye(width) if dim == width else nn.init.orthogonal_(torch.empty(dim, width))


def check_same(width: int, dim: int | None, what: str) -> None:
    """Raise ConfigError unless what comes out is as wide as the rows in."""
    if dim not in (None, width):
        raise ConfigError(
            f"{what} mixes rows as they are, so its dim is their width, {width}, not {dim}; leave dim out, or put "
            "heads of that dim before it"
        )


def modalities_named(given: Sequence[Modality | str]) -> tuple[Modality, ...]:
    """Names as modalities, in their order.

    Raises:
        ConfigError: no modality, one twice, or one that there is not.
    """
    known = [m.value for m in MEDIA]
    for name in given:
        if name not in known:
            raise ConfigError(f"no modality {str(name)!r}.{suggest(name, known)} There are: {', '.join(known)}")
    if not given or len(set(given)) != len(given):
        raise ConfigError(f"modalities are {[str(name) for name in given]}; give at least one, and each once")
    return tuple(Modality(name) for name in given)
