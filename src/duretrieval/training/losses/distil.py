"""Distillation: a small model says of a batch what a teacher says.

    margin-mse:       L = mean over i and j in N(i) of ((s_ii - s_ij) - (t_ii - t_ij))²
    distil-kl:        L = mean_i sum_j q_ij log(q_ij / p_ij),  p = softmax_j(s_ij / u), q = softmax_j(t_ij / v)
    distil-vectors:   L = mean_i (1 - cos(P x_i, y_i))  or  mean_i |P x_i - y_i|²

s the scores of a batch and t the teacher's of the same candidates, x its rows and y the teacher's, P learned and left
behind.  The first is Hofstaetter et al. 2020, "Improving efficient neural ranking models with cross-architecture
knowledge distillation", eq. 4, with every negative of the batch and those beside it; the second Hinton, Vinyals and
Dean 2015, "Distilling the knowledge in a neural network", over candidates for classes; the third Romero et al. 2015,
"FitNets", section 2.2, at the last layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, log_softmax

from duretrieval.errors import ConfigError, ShapeError


@dataclass(frozen=True, slots=True)
class MarginMse:
    """scale: what the teacher's margins are multiplied by, where its scores have another range than cosines.

    A note on numerics: bounded, since cosines are.  What belongs together without being partners asks for nothing.

    Raises:
        ConfigError: the scale is not above 0.
    """

    reads: ClassVar[str] = "teacher"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise ConfigError(f"scale is {self.scale:g}; it must be above 0")

    def __call__(self, scores: Tensor, taught: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), the teacher's (n, m), same (n, m) bool -> scalar.

        Raises:
            ShapeError: they are not of one shape, or there are fewer candidates than rows.
        """
        _check(scores, taught, same)
        ours, theirs = (x.diagonal()[:, None] - x for x in (_exact(scores), _exact(taught)))
        squares = (ours - self.scale * theirs).square().masked_fill(same, 0)
        return squares.sum() / (~same).sum().clamp(min=1)


@dataclass(frozen=True, slots=True)
class DistilKl:
    """temperature: u, and v where `teacher_temperature` is not given: small ones look at the best candidates alone.

    A note on numerics: log-softmax takes any score.  All candidates count, right ones too: the teacher says how right.

    Raises:
        ConfigError: a temperature is not above 0.
    """

    reads: ClassVar[str] = "teacher"
    temperature: float = 0.05
    teacher_temperature: float | None = None

    def __post_init__(self) -> None:
        for value in (self.temperature, self.teacher_temperature):
            if value is not None and not 0 < value < math.inf:
                raise ConfigError(f"a temperature is {value:g}; it must be above 0")

    def __call__(self, scores: Tensor, taught: Tensor, same: Tensor, /) -> Tensor:
        """As `MarginMse`."""
        _check(scores, taught, same)
        ours = log_softmax(_exact(scores) / self.temperature, dim=1)
        theirs = log_softmax(_exact(taught) / (self.teacher_temperature or self.temperature), dim=1)
        return (theirs.exp() * (theirs - ours)).sum(dim=1).mean()


class DistilVectors(nn.Module):
    """dim, width: of our rows and of the teacher's.  form: `cosine`, or `mse`.  project: a learned matrix between them;
    None: where their lengths differ.

    Raises:
        ConfigError: the lengths differ and nothing is to be between them.
    """

    reads = "teacher-rows"

    def __init__(
        self, dim: int, width: int, *, form: Literal["cosine", "mse"] = "cosine", project: bool | None = None
    ) -> None:
        super().__init__()
        if project is False and dim != width:
            raise ConfigError(
                f"vectors of {dim} dimensions are to be the teacher's of {width}; leave out project = false, or set "
                f"dim = {width}"
            )
        self.form = form
        self.between = nn.Linear(dim, width, bias=False) if project or dim != width else None

    def forward(self, rows: Tensor, taught: Tensor) -> Tensor:
        """Unit rows (n, dim), the teacher's (n, width) -> scalar."""
        made = rows if self.between is None else self.between(rows)
        if self.form == "mse":
            return (_exact(made) - taught).square().sum(dim=1).mean()
        return 1 - cosine_similarity(_exact(made), taught, dim=1).mean()


def _exact(scores: Tensor) -> Tensor:
    return scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores


def _check(scores: Tensor, taught: Tensor, same: Tensor) -> None:
    if scores.ndim != 2 or not scores.shape == taught.shape == same.shape or len(scores) > scores.shape[1]:
        raise ShapeError(
            f"expected scores (n, m), a teacher's and same of that shape, m at least n; got {tuple(scores.shape)}, "
            f"{tuple(taught.shape)} and {tuple(same.shape)}"
        )
