"""Each modality looks at the others."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from duretrieval.errors import ConfigError
from duretrieval.plugins import suggest
from duretrieval.training.nets.fusion.scores import SCORES, attend
from duretrieval.training.nets.fusion.stacked import Stacked, check_same, mean
from duretrieval.types import Modality


class Attention(Stacked):
    """z = mean_i sum_j a_ij x_j with a_ij = softmax_j score(x_i, x_j), i and j over the modalities that are there.

    score: the name of one of `scores.SCORES`, or a module (b, i, width), (b, j, width) -> (b, i, j). A modality looks
    at itself too, so one row alone comes out as it is, whatever the score has learned.

    Raises:
        ConfigError: as `Stacked`; no score has that name; another dim than `width`.
    """

    def __init__(
        self,
        modalities: Sequence[Modality | str],
        width: int,
        dim: int | None = None,
        *,
        score: str | nn.Module = "bilinear",
        drop: float = 0.0,
    ) -> None:
        super().__init__(modalities, width, dim, drop=drop)
        check_same(width, dim, "attention")
        if isinstance(score, str):
            if score not in SCORES:
                raise ConfigError(
                    f"no score called {score!r}.{suggest(score, list(SCORES))} There are: {', '.join(SCORES)}"
                )
            score = SCORES[score](width)
        self.score = score

    def fused(self, rows: Tensor, present: Tensor) -> Tensor:
        """(b, m, width), (b, m) -> (b, width)."""
        return mean(attend(self.score(rows, rows), rows, present), present)
