"""One modality asks the others, with several heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.training.nets.fusion.scores import attend, score_named
from duretrieval.training.nets.fusion.sequenced import Sequenced, middles
from duretrieval.training.nets.fusion.stacked import check_same
from duretrieval.types import Modality


class CrossAttention(Sequenced):
    """Multi-head attention of one modality to the others (Vaswani et al. 2017, "Attention is all you need", section
    3.2.2, without biases), q_i being the tokens of the one and x_j those of the others that are there:

        z = mean_i (q_i + W_o [head_i1; ...; head_iH])        head_ih = sum_j softmax_j(score(Q_h q_i, K_h x_j)) V_h x_j

    query: the modality that asks, its words say, of the regions of a picture. Where it is absent, the mean of what is
    there asks in its place; where it is alone, nobody answers and z is the mean of q. score: one of `scores.SCORES`, on
    the width / H components of a head; q · k / sqrt(width / H) if none is named. Where the others are a single row,
    its weight is 1 whatever q is, and Q and K learn nothing: let the encoder hand on its tokens. Unlike attention
    between sequences, q itself is added always, so that the query has a part in the answer then too. V and W_o begin as
    the identity.

    Raises:
        ConfigError: as `Sequenced`; a query that is not among the modalities; heads that do not divide `width`; no
            score has that name; another dim than `width`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        query: str = Modality.TEXT,
        heads: int = 4,
        score: str = "scaled-dot",
        drop: float = 0.0,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop, tokens=tokens)
        check_same(width, dim, "cross-attention")
        if query not in self.modalities:
            raise ConfigError(f"query is {str(query)!r}; it must be one of {', '.join(self.modalities)}")
        if heads < 1 or width % heads:
            raise ConfigError(f"{heads} heads do not divide a width of {width}; give another number of heads")
        self.query = self.modalities.index(Modality(query))
        self.others = [i for i in range(len(self.modalities)) if i != self.query]
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))
        nn.init.xavier_uniform_(self.q.weight)
        nn.init.xavier_uniform_(self.k.weight)
        nn.init.eye_(self.v.weight)
        nn.init.eye_(self.out.weight)
        self.score = score_named(score, width // heads)

    def attended(self, tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        """Of each modality (b, t, width), (b, t) -> (b, width)."""
        asks, shares = tokens[self.query], weights[self.query]
        there = shares.sum(dim=1, keepdim=True) > 0
        asks = torch.where(there[:, :, None], asks, middles(tokens, weights)[:, None, :])
        shares = torch.where(there, shares, torch.full_like(shares, 1 / shares.shape[1]))
        if self.others:
            asks = asks + self.answers(asks, tokens, weights)
        return (shares[:, None, :] @ asks).squeeze(1)

    def answers(self, asks: Tensor, tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        """What each asking token is told: (b, i, width); 0 where nobody is there."""
        others = torch.cat([tokens[i] for i in self.others], dim=1)
        there = torch.cat([weights[i] for i in self.others], dim=1)
        q, k, v = self._split(self.q(asks)), self._split(self.k(others)), self._split(self.v(others))
        heads = attend(self.score(q, k), v, there[:, None, :])  # (b, heads, i, width / heads)
        told: Tensor = self.out(heads.transpose(1, 2).flatten(start_dim=2))
        return told

    def _split(self, rows: Tensor) -> Tensor:
        """(b, n, width) -> (b, heads, n, width / heads)."""
        return rows.view(*rows.shape[:2], self.heads, self.width // self.heads).transpose(1, 2)
