"""Each modality looks at the others, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from duretrieval.training.nets.fusion.scores import attend, score_named
from duretrieval.training.nets.fusion.sequenced import Sequenced
from duretrieval.training.nets.fusion.stacked import check_same
from duretrieval.types import Modality


class Attention(Sequenced):
    """z = mean_i sum_j a_ij x_j with a_ij = softmax_j score(x_i, x_j), i and j over the tokens that are there.

    Between the regions i_m of a picture and the words t_j of a text, `bilinear` is e_mj = i_mᵀ W t_j.  Tokens of one
    modality share one weight, in the softmax and in the mean; where each modality is one row, i and j are modalities.

    score: the name of one of `scores.SCORES`, or a module (b, i, width), (b, j, width) -> (b, i, j).  own: whether a
    token looks at those of its own modality too, itself among them; without, only where there is no other modality.
    One row alone comes out as it is, whatever the score has learned.

    Raises:
        ConfigError: as `Sequenced`; no score has that name; another dim than `width`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        score: str | nn.Module = "bilinear",
        own: bool = True,
        drop: float = 0.0,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop, tokens=tokens)
        check_same(width, dim, "attention")
        self.score = score_named(score, width) if isinstance(score, str) else score
        self.own = own

    def attended(self, tokens: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        """Of each modality (b, t, width), (b, t) -> (b, width)."""
        rows, shares = torch.cat(list(tokens), dim=1), torch.cat(list(weights), dim=1)
        seen = attend(self.score(rows, rows), rows, self._looked_at(weights, shares))
        total = shares.sum(dim=1, keepdim=True)
        return (shares[:, None, :] @ seen).squeeze(1) / total.clamp(min=1)

    def _looked_at(self, weights: Sequence[Tensor], shares: Tensor) -> Tensor:
        """(b, T) how much token j counts, or (b, T, T) how much for token i."""
        if self.own:
            return shares
        kinds = torch.cat([torch.full_like(found[0], place) for place, found in enumerate(weights)])
        others = shares[:, None, :] * (kinds[:, None] != kinds[None, :])
        return torch.where(others.sum(dim=2, keepdim=True) > 0, others, shares[:, None, :])
