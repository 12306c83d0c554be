"""Rows of earlier batches as further negatives.

A batch of 64 offers 63 negatives a row; the rows of the batches before it, which a slowly changing model would give
nearly alike again, offer thousands for the price of one matrix product (Wang, Zhang, Huang and Scott 2020, "Cross-batch
memory for embedding learning", section 3.2). Unlike there, a remembered row with the anchor's key is masked, not a
positive, and the batch itself is compared with gradients on both sides, then remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from duretrieval.errors import ConfigError, ShapeError
from duretrieval.training.losses.same import Keys, key_numbers, same_key


class Memory:
    """The last `size` rows of each view, without gradients, and their keys; oldest first out.

    warm_up: batches of a view that are remembered before any is given back: rows that change quickly at first mislead
    more than they teach (the paper waits for 1,000).

    Raises:
        ConfigError: size is below 1, or warm_up below 0.
    """

    def __init__(self, size: int, *, warm_up: int = 0) -> None:
        if size < 1 or warm_up < 0:
            raise ConfigError(f"a memory of {size} rows after {warm_up} batches cannot be; give at least 1 and 0")
        self.size = size
        self.warm_up = warm_up
        self._kept: dict[str, tuple[Tensor, Tensor]] = {}
        self._batches: dict[str, int] = {}

    def add(self, view: str, rows: Tensor, keys: Keys, /) -> None:
        """Remember a batch of a view: rows (b, d), b keys.

        Raises:
            ShapeError: not one key a row, or rows of another length than those remembered.
            ConfigError: as `key_numbers`.
        """
        rows, keys = rows.detach().clone(), key_numbers(keys).to(rows.device)
        known = self._kept.get(view)
        if rows.ndim != 2 or len(keys) != len(rows) or (known is not None and known[0].shape[1] != rows.shape[1]):
            held = "" if known is None else f", after rows of length {known[0].shape[1]}"
            raise ShapeError(f"expected rows (b, d) and b keys; got {tuple(rows.shape)} and {len(keys)} keys{held}")
        if known is not None:
            rows, keys = torch.cat([known[0].to(rows), rows]), torch.cat([known[1].to(keys), keys])
        self._kept[view] = rows[-self.size :], keys[-self.size :]
        self._batches[view] = self._batches.get(view, 0) + 1

    def rows(self, view: str, /) -> tuple[Tensor, Tensor] | None:
        """Rows (k, d) and keys (k,) of a view, oldest first; None while there are none, or the warm-up lasts."""
        return self._kept.get(view) if self._batches.get(view, 0) >= self.warm_up else None

    def columns(self, view: str, keys: Keys, /) -> tuple[Tensor, Tensor] | None:
        """Rows (k, d) of a view to append to the candidates of anchors with these keys, and their `same` (n, k)."""
        kept = self.rows(view)
        if kept is None:
            return None
        return kept[0], same_key(key_numbers(keys).to(kept[1].device), kept[1])

    def state_dict(self) -> dict[str, Any]:
        """What a run needs to go on exactly."""
        views = {view: {"rows": rows, "keys": keys} for view, (rows, keys) in self._kept.items()}
        return {"views": views, "batches": dict(self._batches)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where `state_dict` was made; a smaller memory keeps the newest."""
        kept = {view: (held["rows"].clone(), held["keys"].clone()) for view, held in state["views"].items()}
        self._kept = {view: (rows[-self.size :], keys[-self.size :]) for view, (rows, keys) in kept.items()}
        self._batches = dict(state["batches"])
