"""Which rows of a split belong together, as masks for losses and lists for mining and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from duretrieval.evaluation.labels.together import Together
from duretrieval.training.data.batch import Batch
from duretrieval.training.data.sample import Sample
from duretrieval.training.data.things import things_of
from duretrieval.types import Ints


class Positives:
    """The relation of `evaluation.labels.together` between the rows of n rows' views.

    things: view -> (n,) the number of what the row holds there, `NOTHING` where it lacks the view; None: each row is a
    thing in every view.  together: which things belong together.
    """

    def __init__(self, things: Mapping[str, Ints] | None, together: Together) -> None:
        self.things = None if things is None else {name: torch.from_numpy(held) for name, held in things.items()}
        self.together = together
        counts = np.diff(together.starts)
        self._one = bool((counts <= 1).all())
        first = np.full(len(together) + 1, -1, dtype=np.int64)  # the last is of NOTHING
        first[:-1][counts > 0] = together.bonds[together.starts[:-1][counts > 0]]
        self._first = torch.from_numpy(first)
        self._bonds, self._starts = torch.from_numpy(together.bonds), torch.from_numpy(together.starts)
        self._counts = torch.from_numpy(np.append(counts, 0))

    @classmethod
    def of_keys(cls, keys: Ints | Tensor) -> Positives:
        """Rows with the same key belong together: (n,)."""
        known = keys.tolist()
        return cls(None, Together.of(((row, (key,)) for row, key in enumerate(known)), len(known)))

    def keep_on(self, device: torch.device) -> None:
        """Hold what every batch looks up on an accelerator."""
        self._first = self._first.to(device)
        if self.things is not None:
            self.things = {name: held.to(device) for name, held in self.things.items()}

    def names(self, batch: Batch) -> Tensor:
        """By what `same` knows the rows of a batch: their places in the data."""
        return batch.rows

    def of(self, view: str, rows: Tensor) -> Tensor:
        """What these rows (m,) hold in a view: (m,)."""
        return rows if self.things is None else self.things[view].to(rows.device)[rows]

    def same(self, a: str, i: Tensor, b: str, j: Tensor) -> Tensor:
        """Whether what rows i (n,) have in view a belongs together with what rows j (m,) have in b: (n, m) bool."""
        x, y = self.of(a, i), self.of(b, j)
        if self._one:
            mine, theirs = self._first.to(x.device)[x], self._first.to(x.device)[y]
            return (mine[:, None] == theirs[None, :]) & (mine >= 0)[:, None]
        return self._joined(x.cpu(), y.cpu()).to(x.device)

    def _joined(self, x: Tensor, y: Tensor) -> Tensor:
        """The same where things have several bonds: both lists of bonds, sorted and joined."""
        ux, at_x = torch.unique(x, return_inverse=True)
        uy, at_y = torch.unique(y, return_inverse=True)
        owner_x, bonds_x = self._listed(ux)
        owner_y, bonds_y = self._listed(uy)
        bonds_y, order = bonds_y.sort()
        begin, end = torch.searchsorted(bonds_y, bonds_x), torch.searchsorted(bonds_y, bonds_x, right=True)
        found = end - begin
        rows = torch.repeat_interleave(owner_x, found)
        within = torch.arange(len(rows)) - torch.repeat_interleave(found.cumsum(0) - found, found)
        columns = owner_y[order[torch.repeat_interleave(begin, found) + within]]
        mask = torch.zeros((len(ux), len(uy)), dtype=torch.bool)
        mask[rows, columns] = True
        return mask[at_x][:, at_y]

    def _listed(self, things: Tensor) -> tuple[Tensor, Tensor]:
        """The bonds of all of these things, and of each the place of its thing: (e,), (e,)."""
        counts = self._counts[things]
        owner = torch.repeat_interleave(torch.arange(len(things)), counts)
        within = torch.arange(len(owner)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
        return owner, self._bonds[self._starts[things.clamp(min=0)][owner] + within]


def positives(
    samples: Sequence[Sample],
    views: Mapping[str, Sequence[str]],
    present: Mapping[str, Sequence[bool]],
    names: Sequence[str],
) -> Positives:
    """As `things_of` takes them."""
    return Positives(*things_of(samples, views, present, names))
