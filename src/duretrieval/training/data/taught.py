"""What a teacher makes of the rows of a split."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from duretrieval.types import Array


class Taught:
    """The teacher's vectors by view: (n, width) unit rows, zeros where it has none."""

    def __init__(self, views: Mapping[str, Array]) -> None:
        self._rows = {name: torch.from_numpy(rows) for name, rows in views.items()}

    @property
    def width(self) -> int:
        """Length of its vectors."""
        return next(iter(self._rows.values())).shape[1]

    def of(self, view: str, rows: Tensor) -> Tensor:
        """Its vectors of what these rows (m,) of the data hold in a view: (m, width)."""
        return self._rows[view][rows.cpu()].to(rows.device)
