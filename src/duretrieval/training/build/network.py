"""The trainable model: columns to rows of their encoders, through heads into one space, fused to views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.training.align.canonical import Canonical
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.recipe.recipe import alone, view_name
from duretrieval.types import Modality


class Network(nn.Module):
    """encoders -> heads -> fusion, whichever of them learn; rows are unit between them.

    encoders: modality -> net, for the modalities whose encoder learns; the others come as rows.  heads: modality ->
    module (b, d_m) -> (b, dim).  columns: name -> modality.  views: columns of each view.  dim: of the shared space.
    fusion: None where every view has one column.  canonical: turns rows before they are compared, in evaluation.
    """

    def __init__(
        self,
        *,
        encoders: Mapping[Modality, nn.Module],
        heads: Mapping[Modality, nn.Module],
        columns: Mapping[str, Modality],
        views: Sequence[Sequence[str]],
        dim: int,
        fusion: nn.Module | None = None,
        canonical: Canonical | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.encoders = nn.ModuleDict({modality.value: net for modality, net in encoders.items()})
        self.heads = nn.ModuleDict({modality.value: head for modality, head in heads.items()})
        self.fusion = fusion
        self.canonical = canonical
        self.columns = dict(columns)
        self.views = {view_name(view): tuple(view) for view in views}
        self.alone = alone(views)

    @property
    def directions(self) -> list[tuple[str, str]]:
        """What asks and what is searched: each view each other one; of one view of whole items each of its columns."""
        return [*permutations(self.views, 2), *((name, whole) for whole in self.views for name in self.alone)]

    def forward(self, batch: Batch, *, asking: bool = False) -> dict[str, View]:
        """View by name; asking: those of `alone` too, fused as a query of one modality is."""
        names = dict.fromkeys(c for view in self.views.values() for c in view)  # in order: dropout must repeat itself
        sums = {name: self._sums(batch, name) for name in names}
        wanted = {**self.views, **self.alone} if asking else self.views
        return {name: self._view(view, sums, batch) for name, view in wanted.items()}

    def aligned(self, batch: Batch, column: str) -> Tensor:
        """A column in the shared space: (b, dim) unit rows, zeros where it is absent.

        A row of several windows has the unit mean of theirs, behind the head: the rule of the engine (`fuse.means`).
        """
        sums = self._sums(batch, column)
        return normalize(sums, dim=1) if column in batch.owners else sums

    def windows(self, batch: Batch, column: str) -> Tensor:
        """The windows of a column in the shared space, where it is present: (w, dim) unit rows."""
        rows, present = self._rows(batch, column), batch.present[column]
        if self.columns[column] in self.encoders:
            return rows
        return rows[present[batch.owners[column]] if column in batch.owners else present]

    def _sums(self, batch: Batch, column: str) -> Tensor:
        """(b, dim): of each row the sum of its windows, which of one window is that; zeros where it is absent."""
        rows, present = self._rows(batch, column), batch.present[column]
        if column in batch.owners:
            rows = rows.new_zeros((len(present), self.dim)).index_add(0, batch.owners[column], rows)
        elif len(rows) < len(present):
            whole = rows.new_zeros((len(present), self.dim))
            whole[present] = rows
            return whole
        return rows if bool(present.all()) else rows.masked_fill(~present[:, None], 0)

    def _rows(self, batch: Batch, column: str) -> Tensor:
        """Those that the batch brings of a column: of a frozen encoder also where it is absent."""
        modality, inputs = self.columns[column], batch.inputs[column]
        if modality not in self.encoders:
            encoded = inputs["rows"]
        elif not inputs:
            return torch.zeros((0, self.dim), device=batch.keys.device)
        else:
            encoded = normalize(self.encoders[modality](**inputs), dim=1)
        return self._turned(normalize(self.heads[modality](encoded), dim=1), modality)

    def _turned(self, rows: Tensor, modality: Modality) -> Tensor:
        return rows if self.canonical is None else cast("Tensor", self.canonical(rows, modality))

    def _view(self, view: Sequence[str], sums: Mapping[str, Tensor], batch: Batch) -> View:
        present = batch.present
        if self.fusion is None:
            rows = sums[view[0]]
            return View(normalize(rows, dim=1) if view[0] in batch.owners else rows, present[view[0]])
        parts: dict[Modality, Tensor] = {}
        there: dict[Modality, Tensor] = {}
        for column in view:  # columns of one modality: the mean of their windows, as the engine takes an item's parts
            modality = self.columns[column]
            parts[modality] = parts[modality] + sums[column] if modality in parts else sums[column]
            there[modality] = there[modality] | present[column] if modality in there else present[column]
        fused = self.fusion({m: normalize(part, dim=1) for m, part in parts.items()}, there)
        return View(normalize(fused, dim=1), torch.stack(list(there.values())).any(dim=0))
