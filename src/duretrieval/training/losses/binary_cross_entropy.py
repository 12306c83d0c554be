"""Binary cross-entropy of pairs: match or not.

    L = -1/2 mean_i log sigmoid(s_ii) - 1/2 mean_{(i, j) negative} log (1 - sigmoid(s_ij))

The scores are logits: what `PairScorer` gives, whose last step (sigmoid) is this loss's first. Partners and negatives
count alike, however many of each a batch has, so that a score of 0 means "as likely as not" of a pair drawn half from
each kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from duretrieval.training.losses.pairs import mean_where, read_pairs


@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy:
    """No settings.

    A note on numerics: -log sigmoid(x) = softplus(-x), which takes any logit.
    """

    def __call__(self, scores: Tensor, same: Tensor, /) -> Tensor:
        """Scores (n, m), same (n, m) bool -> scalar."""
        pairs = read_pairs(scores, same)
        return softplus(-pairs.partners).mean() / 2 + mean_where(softplus(pairs.scores), pairs.negative) / 2
