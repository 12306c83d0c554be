"""The trainable model: columns to rows of their encoders, through heads into one space, fused to views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.training.align.canonical import Canonical
from duretrieval.training.data.batch import Around, Batch, View
from duretrieval.training.nets.tokens import padded, shortened
from duretrieval.training.recipe.recipe import alone, directions, view_name
from duretrieval.types import Modality

if TYPE_CHECKING:
    from duretrieval.training.nets.fusion.graph_attention import GraphAttention

Tokens = tuple[Tensor, Tensor]
"""(w, dim) unit rows, and whose each is, (w,)."""


class Network(nn.Module):
    """encoders -> heads -> fusion, whichever of them learn; rows are unit between them.

    encoders: modality -> net, for the modalities whose encoder learns; the others come as rows.  heads: modality ->
    module (b, d_m) -> (b, dim).  columns: name -> modality.  views: columns of each view.  dim: of the shared space.
    fusion: None where every view has one column.  canonical: turns rows before they are compared, in evaluation.
    looking: the views whose rows see their neighbours.
    tokens: the modalities whose words, regions or frames the fusion reads, and the most of a part.
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
        looking: Sequence[str] = (),
        tokens: Mapping[Modality, int] | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.encoders = nn.ModuleDict({modality.value: net for modality, net in encoders.items()})
        self.heads = nn.ModuleDict({modality.value: head for modality, head in heads.items()})
        self.fusion = fusion
        self.canonical = canonical
        self.looking = frozenset(looking)
        self.tokens = dict(tokens or {})
        self.columns = dict(columns)
        self.views = {view_name(view): tuple(view) for view in views}
        self.alone = alone(views)

    @property
    def directions(self) -> list[tuple[str, str]]:
        """What asks and what is searched, by their names."""
        return directions(self.views.values())

    def forward(self, batch: Batch, *, asking: bool = False) -> dict[str, View]:
        """View by name; asking: those of `alone` too, fused as a query of one modality is."""
        names = dict.fromkeys(c for view in self.views.values() for c in view)  # in order: dropout must repeat itself
        read = {name: self._read(batch, name) for name in names}
        around = batch.around
        seen = dict.fromkeys(c for name, view in self.views.items() if name in self.looking for c in view)
        theirs = {} if around is None else {name: self._read(around.batch, name) for name in seen}
        wanted = {**self.views, **self.alone} if asking else self.views
        return {
            name: self._view(view, read, batch)
            if around is None or name not in self.looking
            else self._beside(view, read, batch, theirs, around)
            for name, view in wanted.items()
        }

    def aligned(self, batch: Batch, column: str) -> Tensor:
        """A column in the shared space: (b, dim) unit rows, zeros where it is absent.

        A row of several windows has the unit mean of theirs, behind the head: the rule of the engine (`fuse.means`).
        """
        if self.columns[column] in self.tokens:
            rows, owners = self.token_rows(batch, column)
            return normalize(rows.new_zeros((len(batch.keys), self.dim)).index_add(0, owners, rows), dim=1)
        sums = self._sums(batch, column)
        return normalize(sums, dim=1) if column in batch.owners else sums

    def token_rows(self, batch: Batch, column: str) -> Tokens:
        """The tokens of a column in the shared space, where it is present: (w, dim) unit, and whose they are, (w,)."""
        rows, present = batch.inputs[column], batch.present[column]
        modality = self.columns[column]
        each = batch.owners.get(column)
        if modality not in self.encoders:
            owners = torch.arange(len(present), device=present.device) if each is None else each
            there = present[owners]
            encoded, owners = rows["rows"][there], owners[there]
        elif not rows:
            return torch.zeros((0, self.dim), device=present.device), batch.keys[:0]
        else:
            found, there = self.encoders[modality].sequence(**rows)  # type: ignore[operator]  # checked when made
            encoded, part = shortened(found, there, self.tokens[modality])
            owners = (present.nonzero().flatten() if each is None else each)[part]
            encoded = normalize(encoded, dim=1)
        return self._turned(normalize(self.heads[modality](encoded), dim=1), modality), owners

    def _read(self, batch: Batch, column: str) -> Tensor | Tokens:
        tokens = self.columns[column] in self.tokens
        return self.token_rows(batch, column) if tokens else self._sums(batch, column)

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

    def _view(self, view: Sequence[str], read: Mapping[str, Tensor | Tokens], batch: Batch) -> View:
        present = batch.present
        if self.fusion is None:
            rows = cast("Tensor", read[view[0]])
            return View(normalize(rows, dim=1) if view[0] in batch.owners else rows, present[view[0]])
        fused = self.fusion(*self._parts(view, read, present))
        return View(normalize(fused, dim=1), torch.stack([present[column] for column in view]).any(dim=0))

    def _beside(
        self,
        view: Sequence[str],
        read: Mapping[str, Tensor | Tokens],
        batch: Batch,
        theirs: Mapping[str, Tensor | Tokens],
        around: Around,
    ) -> View:
        """The view with what its columns hold of neighbours; theirs: as `read`, of `around.batch`."""
        fusion = cast("GraphAttention", self.fusion)
        rows, there = self._parts(view, read, batch.present)
        given, held = self._parts(view, theirs, around.batch.present)
        middles = fusion.middle(given, held)[around.places]
        related = around.there & _any(held)[around.places]
        return View(normalize(fusion.beside(rows, middles, related, there, around.kinds), dim=1), _any(there))

    def _parts(
        self, view: Sequence[str], read: Mapping[str, Tensor | Tokens], present: Mapping[str, Tensor]
    ) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
        """What a fusion takes of a view: modality -> (b, dim) unit rows, and -> (b,) bool, whether it is there."""
        parts: dict[Modality, Tensor] = {}
        there: dict[Modality, Tensor] = {}
        for modality in dict.fromkeys(self.columns[column] for column in view):
            found = [(read[c], present[c]) for c in view if self.columns[c] is modality]
            if modality in self.tokens:  # those of all columns, one after another
                tokens = [cast("Tokens", held) for held, _ in found]
                rows, owners = (torch.cat(held) for held in zip(*tokens, strict=True))
                parts[modality], there[modality] = padded(rows, owners, len(found[0][1]))
            else:  # the mean of their windows, as the engine takes an item's parts
                sums = torch.stack([cast("Tensor", held) for held, _ in found]).sum(dim=0)
                parts[modality] = normalize(sums, dim=1)
                there[modality] = torch.stack([mask for _, mask in found]).any(dim=0)
        return parts, there


def _any(present: Mapping[Modality, Tensor]) -> Tensor:
    """(b,) bool: where a row has something."""
    return torch.stack(list(present.values())).any(dim=0)
