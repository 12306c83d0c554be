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
from duretrieval.training.build.hardest import hardest
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.positives import Positives
from duretrieval.training.data.taught import Taught
from duretrieval.training.nets.score.mixed import Mixed


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
    """`scores` of pairs of views, aligned `rows` of two views, `pairs` of two views with scores of their own, the
    `labels` of one; or beside scores those of a `teacher`, and beside the rows of one view its (`teacher-rows`)."""
    views: tuple[str, str] | None = None
    classifier: nn.Module | None = None
    on: str = "scores"
    """`vectors`: the cosine, whatever the score is."""
    hardest: int = 0
    """Of each anchor, only so many negatives count, those of the largest cosine; 0: all."""
    apart: bool = False
    """It teaches the score or the classifier alone, not what makes the rows."""
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

    def forward(
        self,
        views: Mapping[str, View],
        batch: Batch,
        positives: Positives | None = None,
        taught: Taught | None = None,
    ) -> Tensor:
        """The loss of a batch: a scalar.  positives: which rows of the data belong together; None: those of one key.
        taught: what a teacher makes of them; None: the scores of rows, where a loss learns from a teacher."""
        relation = positives or _Keys()
        fixed = {name: View(view.rows.detach(), view.present) for name, view in views.items()}
        weighted: list[Tensor] = []
        for term in self.terms:
            read = fixed if term.apart else views
            if term.reads == "labels":
                weighted.append(term.weight * self._labels(term, read, batch))
                continue
            if term.reads == "teacher-rows":
                weighted += [term.weight * loss for loss in self._rows_taught(term, read, batch, taught)]
                continue
            pairs = [term.views] if term.views else list(combinations(views, 2))
            if term.reads == "teacher" and len(views) == 1:  # which says how alike any two things are
                pairs = [(name, name) for name in views]
            whole = [(pair, {name: read[name] for name in pair}) for pair in pairs]
            cuts = [(pair, {n: cut(v, d) for n, v in ends.items()}) for d in term.dims for pair, ends in whole]
            found = [self._pair(term, ends, pair, batch, relation, taught) for pair, ends in (*whole, *cuts)]
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

    @property
    def _taught(self) -> Any:
        """What the losses read of a score that ranks mixed with the cosine."""
        return self.score.score if isinstance(self.score, Mixed) else self.score

    def _pair(
        self,
        term: LossTerm,
        views: Mapping[str, View],
        names: tuple[str, str],
        batch: Batch,
        relation: Relation,
        taught: Taught | None,
    ) -> Tensor | None:
        a, b = views[names[0]], views[names[1]]
        both = (a.present & b.present)[: batch.anchors]
        if term.reads == "pairs":
            return self._scored(term, a, b, both, batch)
        if term.reads == "teacher":
            if taught is None:
                return self._of_column(term, a, b, both, batch)
            return self._distilled(term, views, names, both, batch, relation, taught)
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
        score = inner if term.on == "vectors" else self._taught
        same = relation.same(names[0], known, names[1], known)
        more_a = self._more(a, batch, names[0], both & ~partners, relation)
        more_b = self._more(b, batch, names[1], both & ~partners, relation)

        def one_way(
            rows: Tensor, others: Tensor, same: Tensor, ends: tuple[str, str], more: Rows | None, scores: Tensor | None
        ) -> Tensor:
            if more is not None:
                same = torch.cat([same, relation.same(ends[0], known, ends[1], more[1])], dim=1)
                others = torch.cat([others, more[0]])
                scores = None if scores is None else torch.cat([scores, score(rows, more[0])], dim=1)
            if scores is None:
                scores, same = hardest(score, rows, others, same, term.hardest)
            found: Tensor = term.loss(scores, same)
            return found

        scores = turned = None
        if not term.hardest:
            scores = score(rows_a, rows_b)
            turned = scores.T if getattr(score, "symmetric", score is inner) else score(rows_b, rows_a)
        forward = one_way(rows_a, rows_b, same, names, more_b, scores)
        return (forward + one_way(rows_b, rows_a, same.T, names[::-1], more_a, turned)) / 2

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

    def _of_column(self, term: LossTerm, a: View, b: View, both: Tensor, batch: Batch) -> Tensor | None:
        """From the scores that rows have of their own: those of the other rows are the candidates of each."""
        if batch.scores is None:
            return None
        wanted = batch.scores[: batch.anchors]
        known = (both & ~wanted.isnan()).nonzero().flatten()
        if len(known) < 2:
            return None
        n, ours = len(known), (a.rows[known] * b.rows[known]).sum(dim=1)
        same = torch.eye(n, dtype=torch.bool, device=known.device)
        found: Tensor = term.loss(ours.expand(n, n), wanted[known].expand(n, n), same)
        return found

    def _distilled(
        self,
        term: LossTerm,
        views: Mapping[str, View],
        names: tuple[str, str],
        both: Tensor,
        batch: Batch,
        relation: Relation,
        taught: Taught,
    ) -> Tensor | None:
        """Both directions: rows that have both views, against each other and the negatives that follow them."""
        theirs = {name: taught.of(name, batch.rows) for name in names}
        there = {name: views[name].present & theirs[name].any(dim=1) for name in names}
        chosen = (both & there[names[0]][: batch.anchors] & there[names[1]][: batch.anchors]).nonzero().flatten()
        if len(chosen) < 2:
            return None
        score, known = inner if term.on == "vectors" else self._taught, relation.names(batch)
        losses: list[Tensor] = []
        for x, y in (names, names[::-1]):
            among = torch.cat([chosen, batch.anchors + there[y][batch.anchors :].nonzero().flatten()])
            same = relation.same(x, known[chosen], y, known[among])
            scores = score(views[x].rows[chosen], views[y].rows[among])
            losses.append(term.loss(scores, theirs[x][chosen] @ theirs[y][among].T, same))
        return (losses[0] + losses[1]) / 2

    def _rows_taught(
        self, term: LossTerm, views: Mapping[str, View], batch: Batch, taught: Taught | None
    ) -> list[Tensor]:
        """The mean over views of the loss of their rows and the teacher's; nothing where it has none."""
        losses = []
        for name in dict.fromkeys(term.views or views) if taught is not None else ():
            theirs = taught.of(name, batch.rows)  # type: ignore[union-attr]
            known = (views[name].present & theirs.any(dim=1))[: batch.anchors].nonzero().flatten()
            if len(known):
                losses.append(term.loss(views[name].rows[known], theirs[known]))
        return [torch.stack(losses).mean()] if losses else []

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
