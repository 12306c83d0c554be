"""One modality asks the others, with several heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.scores import ScaledDot, attend
from duretrieval.training.nets.fusion.stacked import Stacked, check_same, mean
from duretrieval.types import Modality


class CrossAttention(Stacked):
    """Multi-head attention of one row to the others (Vaswani et al. 2017, "Attention is all you need", section 3.2.2,
    without biases), the query q being the row of one modality and j the other modalities that are there:

        z = q + W_o [head_1; ...; head_H]        head_h = sum_j softmax_j(Q_h q · K_h x_j / sqrt(width / H)) V_h x_j

    query: the modality that asks. Where it is absent, the mean of the rows that are there asks in its place; where it
    is alone, nobody answers and z = q. Unlike attention between sequences, q itself is added always: a single key has
    weight 1 whatever q is, so the query would have no part in the answer. V and W_o begin as the identity.

    Raises:
        ConfigError: as `Stacked`; a query that is not among the modalities; heads that do not divide `width`; another
            dim than `width`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        query: str = Modality.TEXT,
        heads: int = 4,
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        check_same(width, dim, "cross-attention")
        if query not in self.modalities:
            raise ConfigError(f"query is {str(query)!r}; it must be one of {', '.join(self.modalities)}")
        if heads < 1 or width % heads:
            raise ConfigError(f"{heads} heads do not divide a width of {width}; give another number of heads")
        self.query = self.modalities.index(Modality(query))
        self.others = [i for i in range(len(self.modalities)) if i != self.query]
        self.heads = heads
        self.score = ScaledDot(width // heads)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        nn.init.xavier_uniform_(self.q.weight)
        nn.init.xavier_uniform_(self.k.weight)
        nn.init.eye_(self.v.weight)
        nn.init.eye_(self.out.weight)

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, width)."""
        asks = torch.where(present[:, self.query, None], rows[:, self.query], mean(rows, present))
        if not self.others:
            return asks
        others, there = rows[:, self.others], present[:, self.others]
        q, k, v = self._split(self.q(asks[:, None])), self._split(self.k(others)), self._split(self.v(others))
        heads = attend(self.score(q, k), v, there[:, None])  # (b, heads, 1, width / heads); 0 where nobody is there
        answer: Tensor = self.out(heads.flatten(start_dim=1))
        return asks + answer

    def _split(self, rows: Tensor) -> Tensor:
        """(b, n, width) -> (b, heads, n, width / heads)."""
        return rows.view(*rows.shape[:2], self.heads, self.width // self.heads).transpose(1, 2)
