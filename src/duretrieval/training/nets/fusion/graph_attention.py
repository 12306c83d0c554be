"""Modalities, and related items, as neighbours in a graph."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, leaky_relu, one_hot

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.nets.fusion.stacked import Stacked, dropped, masked_softmax, mean, stack, start
from duretrieval.training.onnx import to_onnx
from duretrieval.types import Modality

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # it compiles with torch.jit as it is imported, which torch leaves
    from torch_geometric.nn import GATv2Conv


class GraphAttention(Stacked):
    """GATv2 (Brody, Alon & Yahav 2022, "How attentive are graph attention networks?", equation 7), heads joined:

        z_i = sum_j a_ij W_l y_j + b        a_ij = softmax_j vᵀ LeakyReLU(W_r x_i + W_l y_j + e_k(j))

    x_i is the middle of item i, the mean of its rows; its neighbours y_j are its own rows, one a modality that is
    there, and the middles of related items, each of a kind k with a learned e_k (0 for its own rows). An item alone has
    its own rows only. W_l begins as the identity, e_k as 0.

    kinds: of relations, as `media.relations.kinds_of` names them; none: the engine fuses items alone.  neighbours: how
    many of an item the engine looks at.  drop: of neighbours, too.

    Raises:
        ConfigError: as `Stacked`; heads that do not divide `dim`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        heads: int = 4,
        kinds: Sequence[str] = (),
        neighbours: int = 8,
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        if heads < 1 or self.dim % heads:
            raise ConfigError(f"{heads} heads do not divide a dim of {self.dim}; give another number of heads")
        self.kinds, self.neighbours = tuple(kinds), neighbours
        self.conv = GATv2Conv(
            width, self.dim // heads, heads=heads, add_self_loops=False, edge_dim=len(self.kinds) or None
        )
        with torch.no_grad():
            self.conv.lin_l.weight.copy_(start(width, self.dim))
            if self.kinds:
                self.conv.lin_edge.weight.zero_()
        for bias in (self.conv.lin_l.bias, self.conv.lin_r.bias):
            nn.init.zeros_(bias)

    def middle(self, rows: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor] | None = None) -> Tensor:
        """What an item is to its neighbours: (b, width)."""
        stacked, there = stack(rows, present, self.modalities, self.width)
        return mean(stacked.masked_fill(~there[:, :, None], 0.0), there)

    def beside(
        self,
        rows: Mapping[Modality, Tensor],
        neighbours: Tensor,
        related: Tensor,
        present: Mapping[Modality, Tensor] | None = None,
        kinds: Tensor | None = None,
    ) -> Tensor:
        """Items beside `neighbours` (b, k, width), the middles of others, where `related` (b, k) bool says: (b, dim).

        kinds: (b, k) int64, numbers of the kinds; None: all are of the first.

        Raises:
            ShapeError: neighbours of another width, or not as many as `related` says; and as `stack`.
        """
        stacked, there = stack(rows, present, self.modalities, self.width)
        if neighbours.shape != (len(stacked), related.shape[-1], self.width) or related.shape != neighbours.shape[:2]:
            raise ShapeError(
                f"expected neighbours ({len(stacked)}, k, {self.width}) and related ({len(stacked)}, k); got "
                f"{tuple(neighbours.shape)} and {tuple(related.shape)}"
            )
        if self.training and self.drop:
            kept = dropped(torch.cat([there, related], dim=1), self.drop)
            there, related = kept[:, : there.shape[1]], kept[:, there.shape[1] :]
        given = torch.zeros_like(related, dtype=torch.int64) if kinds is None else kinds
        return self.look(stacked, there, neighbours, related, given)

    def look(self, rows: Tensor, present: Tensor, neighbours: Tensor, related: Tensor, kinds: Tensor) -> Tensor:
        """`beside`, of tensors: (b, m, width), (b, m), (b, k, width), (b, k), (b, k) -> (b, dim)."""
        rows = rows.masked_fill(~present[:, :, None], 0.0)
        neighbours = neighbours.masked_fill(~related[:, :, None], 0.0)
        around, seen = torch.cat([rows, neighbours], dim=1), torch.cat([present, related], dim=1)
        fused = self._look(mean(rows, present), around, seen, kinds if self.kinds else None)
        return fused.masked_fill(~seen.any(dim=1, keepdim=True), 0.0)

    def within(
        self,
        rows: Mapping[Modality, Tensor],
        edges: Tensor,
        present: Mapping[Modality, Tensor] | None = None,
        kinds: Tensor | None = None,
    ) -> Tensor:
        """Items in a graph of relations: edges (2, e) int64, from item edges[0] to item edges[1]; (n, dim).

        kinds: (e,) int64, numbers of the kinds; None: all are of the first.  PyTorch Geometric does the sums, so that
        an item may have any number of neighbours.

        Raises:
            ShapeError: an edge to an item that is not there; and as `stack`.
        """
        stacked, there = stack(rows, present, self.modalities, self.width)
        n, m = there.shape
        if edges.shape[:1] != (2,) or (edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) < n):
            raise ShapeError(f"expected edges (2, e) between the {n} items, numbered from 0; got {tuple(edges.shape)}")
        stacked = stacked.masked_fill(~there[:, :, None], 0.0)
        middles = mean(stacked, there)
        own = there.flatten().nonzero().squeeze(1)  # row i m + j is modality j of item i
        sources = torch.cat([stacked.flatten(0, 1), middles])
        around = torch.cat([torch.stack([own, own // m]), torch.stack([edges[0] + n * m, edges[1]])], dim=1)
        marks = None
        if self.kinds:  # which kind an edge is of, all zeros for an item's own rows
            given = one_hot(torch.zeros_like(edges[0]) if kinds is None else kinds, len(self.kinds))
            marks = torch.cat([sources.new_zeros(len(own), len(self.kinds)), given.to(sources.dtype)])
        fused: Tensor = self.conv((sources, middles), around, marks)
        seeing = torch.zeros(n, dtype=torch.bool, device=there.device).index_fill(0, around[1], True)
        return fused.masked_fill(~seeing[:, None], 0.0)

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, dim): items alone."""
        return self._look(mean(rows, present), rows, present)

    def export(self, folder: str | Path, name: str, /) -> dict[str, Any]:
        """As `Stacked.export`; with kinds for `duretrieval.fuse.graph.OnnxGraphFusion`.

        Then the graph takes neighbours (n, k, width) float32, related (n, k) float32 and kinds (n, k) int64, too.
        """
        entry = super().export(folder, name)
        if not self.kinds:
            return entry
        m, k = len(self.modalities), 3
        inputs = {
            "rows": torch.rand(2, m, self.width),
            "present": torch.ones(2, m),
            "neighbours": torch.rand(2, k, self.width),
            "related": torch.ones(2, k),
            "kinds": torch.zeros(2, k, dtype=torch.int64),
        }
        free = {name: [1] for name in ("neighbours", "related", "kinds")}
        to_onnx(_Graph(self).train(self.training), Path(folder) / f"{name}.onnx", inputs, free=free, output="fused")
        options = {**entry["options"], "kinds": [*self.kinds], "neighbours": self.neighbours}
        return {"use": "onnx-graph-fusion", "options": options}

    def _look(self, middles: Tensor, around: Tensor, seen: Tensor, kinds: Tensor | None = None) -> Tensor:
        """The convolution as matrices, for as many neighbours each: (b, width), (b, s, width), (b, s) -> (b, dim).

        kinds: (b, k) of the last k of those around.  It is `self.conv` over the same edges, written so that a graph can
        hold it.
        """
        split = (self.conv.heads, self.conv.out_channels)
        theirs = self.conv.lin_l(around).unflatten(2, split)  # (b, s, heads, dim / heads)
        mine = self.conv.lin_r(middles).unflatten(1, split)[:, None]
        both = theirs + mine
        if kinds is not None:
            marks: Tensor = embedding(kinds, self.conv.lin_edge.weight.T).unflatten(2, split)  # type: ignore[no-untyped-call]
            own = len(self.modalities)
            both = torch.cat([both[:, :own], both[:, own:] + marks], dim=1)
        scores = (leaky_relu(both, self.conv.negative_slope) * self.conv.att).sum(dim=-1)
        weights = masked_softmax(scores, seen[:, :, None], dim=1)
        looked: Tensor = (weights[..., None] * theirs).sum(dim=1).flatten(start_dim=1) + self.conv.bias
        return looked


class _Graph(nn.Module):
    """`GraphAttention.look` with masks as numbers, which every runtime takes."""

    def __init__(self, fusion: GraphAttention) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, rows: Tensor, present: Tensor, neighbours: Tensor, related: Tensor, kinds: Tensor) -> Tensor:
        return self.fusion.look(rows, present > 0.5, neighbours, related > 0.5, kinds)
