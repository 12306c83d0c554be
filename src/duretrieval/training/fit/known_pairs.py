"""The pairs of training rows that a mixed score asks for advice."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from duretrieval.training.build.network import Network
from duretrieval.training.data.batches import Rows
from duretrieval.training.fit.validation import views_of
from duretrieval.training.nets.score.mixed import Mixed


def remember_pairs(score: Mixed, network: Network, rows: Rows, device: torch.device) -> None:
    """Give the score pairs of training rows, as the network has them now, evenly over the rows."""
    there = torch.stack([_present(rows, columns) for columns in network.views.values()])
    paired = ((there.sum(dim=0) > 1) & rows.linked[: len(rows)]).nonzero().flatten()
    if not score.support or not len(paired):
        return
    at = torch.linspace(0, len(paired) - 1, min(score.support, len(paired))).round().long()
    views = views_of(network, rows, device, paired[at].tolist())
    score.remember(torch.stack([view.rows.masked_fill(~view.present[:, None], 0) for view in views.values()]))


def _present(rows: Rows, columns: Sequence[str]) -> Tensor:
    """(n,) bool: any of the columns."""
    found = [torch.from_numpy(rows.columns[name].present[: len(rows)]) for name in columns]
    return torch.stack(found).any(dim=0)
