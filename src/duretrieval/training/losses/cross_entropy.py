"""Cross-entropy of classes.

    L = -1/|K| sum_{i in K} sum_c q_ic log softmax(z_i)_c,   q_ic = (1 - e) [c = y_i] + e / C

K the rows whose class is known, z logits, C classes, e label smoothing (Szegedy et al. 2016, "Rethinking the Inception
architecture for computer vision", section 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from duretrieval.errors import ConfigError, ShapeError

UNKNOWN = -1
"""The label of a row whose class is not known."""


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """A loss of labels: (b, C) logits and (b,) labels, not of scores between rows.

    smoothing: e, 0 for none.

    A note on numerics: log-softmax takes any logit; a batch of unknown labels gives 0, not 0 / 0.

    Raises:
        ConfigError: smoothing is not in [0, 1).
    """

    reads: ClassVar[str] = "labels"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise ConfigError(f"smoothing is {self.smoothing:g}; it must be at least 0 and below 1")

    def __call__(self, logits: Tensor, labels: Tensor, /) -> Tensor:
        """Logits (b, C), labels (b,) int64 with -1 where the class is not known -> scalar.

        Raises:
            ShapeError: not one label a row of logits, or labels that are not int64.
        """
        if logits.ndim != 2 or labels.shape != logits.shape[:1] or labels.dtype != torch.int64:
            raise ShapeError(
                f"expected logits (b, C) and labels (b,) of torch.int64; got {tuple(logits.shape)} "
                f"and {tuple(labels.shape)} of {labels.dtype}"
            )
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()
        known = (labels != UNKNOWN).sum().clamp(min=1)
        total = cross_entropy(logits, labels, ignore_index=UNKNOWN, label_smoothing=self.smoothing, reduction="sum")
        return total / known
