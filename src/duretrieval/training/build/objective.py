"""From the views of a batch to one number to make small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from duretrieval.errors import ConfigError
from duretrieval.evaluation.labels.together import MATCH
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.positives import Positives


def inner(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of unit rows: (n, d), (m, d) -> (n, m)."""
    return a @ b.T


def shortened(rows: Tensor, dim: int) -> Tensor:
    """Unit rows (n, d) of the first `dim` components, unit again: (n, dim)."""
    return rows if rows.shape[1] <= dim else normalize(rows[:, :dim], dim=1)


def cut(view: View, dim: int) -> View:
    """A view whose rows end there."""
    return View(shortened(view.rows, dim), view.present)


@dataclass(frozen=True, slots=True, eq=False)
class LossTerm:
    """A loss, how much it counts, what it reads, and between which views (None: all pairs)."""

    loss: Any
    weight: float
    reads: str
    """`scores` of pairs of views, aligned `rows` of two views, `pairs` of two views with scores of their own, or the
    `labels` of one."""
    views: tuple[str, str] | None = None
    classifier: nn.Module | None = None
    on: str = "scores"
    """`vectors`: the cosine, whatever the score is."""
    dims: tuple[int, ...] = ()
    """Beside the whole vectors, those that end there: matryoshka (Kusupati et al. 2022), of equal weights."""


class TotalLoss(nn.Module):
    """The weighted sum of the losses over the pairs of views; a pair that the batch lacks adds nothing."""

    def __init__(self, terms: Sequence[LossTerm], score: Any = inner, memory: Any = None) -> None:
        super().__init__()
        self.terms = list(terms)
        self.score = score
        self.memory = memory
        parts = [t.loss for t in terms] + [t.classifier for t in terms] + [score]
        self.learned = nn.ModuleList(part for part in parts if isinstance(part, nn.Module))

    def forward(self, views: Mapping[str, View], batch: Batch, positives: Positives | None = None) -> Tensor:
        """The loss of a batch: a scalar.  positives: which rows of the data belong together; None: those of one key."""
        relation = positives or _Keys()
        weighted: list[Tensor] = []
        for term in self.terms:
            if term.reads == "labels":
                weighted.append(term.weight * self._labels(term, views, batch))
                continue
            pairs = [term.views] if term.views else list(combinations(views, 2))
            whole = [{name: views[name] for name in pair} for pair in pairs]
            cuts = [*whole, *({name: cut(v, d) for name, v in ends.items()} for d in term.dims for ends in whole)]
            found = [self._pair(term, ends, tuple(ends), batch, relation) for ends in cuts]  # type: ignore[arg-type]
            losses = [loss for loss in found if loss is not None]
            if losses:
                weighted.append(term.weight / len(losses) * sum(losses[1:], losses[0]))
        total = sum(weighted[1:], weighted[0]) if weighted else torch.zeros((), device=batch.keys.device)
        if self.training and not total.requires_grad:  # no pair in the whole batch: nothing to learn, and no error
            total = total + torch.stack([view.rows[view.present].sum() for view in views.values()]).sum() * 0
        if self.memory is not None and self.training:
            for name, view in views.items():
                there = view.present[: batch.anchors]
                known = relation.names(batch)[: batch.anchors]
                self.memory.add(name, view.rows[: batch.anchors][there].detach(), known[there])
        return total

    def _pair(
        self, term: LossTerm, views: Mapping[str, View], names: tuple[str, str], batch: Batch, relation: Relation
    ) -> Tensor | None:
        a, b = views[names[0]], views[names[1]]
        both = (a.present & b.present)[: batch.anchors]
        if term.reads == "pairs":
            return self._scored(term, a, b, both, batch)
        partners = both
        if batch.scores is not None:  # what is said not to belong together is no partner
            partners = both & ~(batch.scores[: batch.anchors] < MATCH)
        there = int(partners.sum())
        if there < 2:  # nothing to tell a partner from
            return None
        rows_a, rows_b, known = a.rows, b.rows, relation.names(batch)
        if there < len(known):  # choosing rows takes long on the way back
            chosen = partners.nonzero().flatten()
            rows_a, rows_b, known = rows_a[chosen], rows_b[chosen], known[chosen]
        if term.reads == "rows":
            loss: Tensor = term.loss(rows_a, rows_b)
            return loss
        score = inner if term.on == "vectors" else self.score
        scores = score(rows_a, rows_b)
        turned = scores.T if getattr(score, "symmetric", score is inner) else score(rows_b, rows_a)
        same = relation.same(names[0], known, names[1], known)
        more_a = self._more(a, batch, names[0], both & ~partners, relation)
        more_b = self._more(b, batch, names[1], both & ~partners, relation)

        def widened(scores: Tensor, same: Tensor, rows: Tensor, ends: tuple[str, str], more: Rows | None) -> Tensor:
            if more is not None:
                scores = torch.cat([scores, score(rows, more[0])], dim=1)
                same = torch.cat([same, relation.same(ends[0], known, ends[1], more[1])], dim=1)
            found: Tensor = term.loss(scores, same)
            return found

        forward = widened(scores, same, rows_a, names, more_b)
        return (forward + widened(turned, same.T, rows_b, names[::-1], more_a)) / 2

    def _scored(self, term: LossTerm, a: View, b: View, both: Tensor, batch: Batch) -> Tensor | None:
        """A loss of pairs whose rows say how far they belong together."""
        if batch.scores is None:
            return None
        wanted = batch.scores[: batch.anchors]
        known = (both & ~wanted.isnan()).nonzero().flatten()
        if not len(known):
            return None
        rows_a, rows_b = a.rows[known], b.rows[known]
        found: Tensor = term.loss(rows_a, rows_b, wanted[known])
        return found

    def _more(self, view: View, batch: Batch, name: str, apart: Tensor, relation: Relation) -> Rows | None:
        """Further candidates and by what they are known: rows after the anchors (negatives of the data, and mined
        ones), those of pairs that do not belong together, and remembered ones."""
        there = torch.cat([apart, view.present[batch.anchors :]])
        found = [(view.rows[there], relation.names(batch)[there])] if bool(there.any()) else []
        if self.memory is not None and self.training and (kept := self.memory.rows(name)) is not None:
            found.append((shortened(kept[0].to(view.rows.device), view.rows.shape[1]), kept[1].to(batch.keys.device)))
        if not found:
            return None
        return torch.cat([rows for rows, _ in found]), torch.cat([known for _, known in found])

    def _labels(self, term: LossTerm, views: Mapping[str, View], batch: Batch) -> Tensor:
        """The mean over views of the loss of their class logits."""
        if term.classifier is None:
            raise ConfigError(
                "a loss of classes needs labels, and the data has none; name their column, or use another"
            )
        chosen = [views[name] for name in dict.fromkeys(term.views or views)]
        losses = []
        for view in chosen:
            known = (view.present & (batch.labels >= 0))[: batch.anchors].nonzero().flatten()
            if len(known):
                losses.append(term.loss(term.classifier(view.rows[known]), batch.labels[known]))
        return torch.stack(losses).mean() if losses else torch.zeros((), device=batch.keys.device)


Rows = tuple[Tensor, Tensor]
"""Rows of a view (m, d), and by what a relation knows them (m,)."""


class _Keys:
    """Rows of a batch with one key, whatever the data is."""

    def names(self, batch: Batch, /) -> Tensor:
        """(b,)"""
        return batch.keys

    def same(self, a: str, i: Tensor, b: str, j: Tensor, /) -> Tensor:
        """(n,), (m,) -> (n, m) bool"""
        return i[:, None] == j[None, :]


Relation = Positives | _Keys
"""Which rows belong together."""
