"""From the views of a batch to one number to make small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.data.batch import Batch, View


def inner(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of unit rows: (n, d), (m, d) -> (n, m)."""
    return a @ b.T


@dataclass(frozen=True, slots=True, eq=False)
class LossTerm:
    """A loss, how much it counts, what it reads, and between which views (None: all pairs)."""

    loss: Any
    weight: float
    reads: str
    """`scores` of pairs of views, aligned `rows` of two views, or the `labels` of one."""
    views: tuple[str, str] | None = None
    classifier: nn.Module | None = None
    on: str = "scores"
    """`vectors`: the cosine, whatever the score is."""


class TotalLoss(nn.Module):
    """The weighted sum of the losses over the pairs of views; a pair that the batch lacks adds nothing."""

    def __init__(self, terms: Sequence[LossTerm], score: Any = inner, memory: Any = None) -> None:
        super().__init__()
        self.terms = list(terms)
        self.score = score
        self.memory = memory
        parts = [t.loss for t in terms] + [t.classifier for t in terms] + [score]
        self.learned = nn.ModuleList(part for part in parts if isinstance(part, nn.Module))

    def forward(self, views: Mapping[str, View], batch: Batch) -> Tensor:
        """The loss of a batch: a scalar."""
        weighted: list[Tensor] = []
        for term in self.terms:
            if term.reads == "labels":
                weighted.append(term.weight * self._labels(term, views, batch))
                continue
            pairs = [term.views] if term.views else list(combinations(views, 2))
            found = [self._pair(term, views[a], views[b], batch, (a, b)) for a, b in pairs]
            losses = [loss for loss in found if loss is not None]
            if losses:
                weighted.append(term.weight / len(losses) * sum(losses[1:], losses[0]))
        total = sum(weighted[1:], weighted[0]) if weighted else torch.zeros((), device=batch.keys.device)
        if self.training and not total.requires_grad:  # no pair in the whole batch: nothing to learn, and no error
            total = total + torch.stack([view.rows[view.present].sum() for view in views.values()]).sum() * 0
        if self.memory is not None and self.training:
            for name, view in views.items():
                there = view.present[: batch.anchors]
                self.memory.add(name, view.rows[: batch.anchors][there].detach(), batch.keys[: batch.anchors][there])
        return total

    def _pair(self, term: LossTerm, a: View, b: View, batch: Batch, names: tuple[str, str]) -> Tensor | None:
        both = (a.present & b.present)[: batch.anchors]
        there = int(both.sum())
        if there < 2:  # nothing to tell a partner from
            return None
        rows_a, rows_b, keys = a.rows, b.rows, batch.keys
        if there < len(keys):  # choosing rows takes long on the way back
            chosen = both.nonzero().flatten()
            rows_a, rows_b, keys = rows_a[chosen], rows_b[chosen], keys[chosen]
        if term.reads == "rows":
            loss: Tensor = term.loss(rows_a, rows_b)
            return loss
        score = inner if term.on == "vectors" else self.score
        scores = score(rows_a, rows_b)
        turned = scores.T if getattr(score, "symmetric", score is inner) else score(rows_b, rows_a)
        same = keys[:, None] == keys[None, :]
        more_a, more_b = self._more(a, batch, names[0]), self._more(b, batch, names[1])
        forward = term.loss(*_widened(score, scores, same, rows_a, keys, more_b))
        backward = term.loss(*_widened(score, turned, same, rows_b, keys, more_a))
        found: Tensor = (forward + backward) / 2
        return found

    def _more(self, view: View, batch: Batch, name: str) -> tuple[Tensor, Tensor] | None:
        """Rows after the anchors (mined) and remembered ones, with their keys."""
        n = batch.anchors
        there = view.present[n:]
        found = [(view.rows[n:][there], batch.keys[n:][there])] if int(there.sum()) else []
        if self.memory is not None and self.training and (kept := self.memory.rows(name)) is not None:
            found.append((kept[0].to(view.rows.device), kept[1].to(batch.keys.device)))
        if not found:
            return None
        return torch.cat([rows for rows, _ in found]), torch.cat([keys for _, keys in found])

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


def _widened(
    score: Any, scores: Tensor, same: Tensor, a: Tensor, keys: Tensor, more: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """Scores of anchors with their partners, and which pairs belong together; beside them those with more rows."""
    if more is None:
        return scores, same
    rows, others = more
    return torch.cat([scores, score(a, rows)], dim=1), torch.cat([same, keys[:, None] == others[None, :]], dim=1)
