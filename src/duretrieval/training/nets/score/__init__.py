"""How well two rows fit, as a number that learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.training.nets.score.cosine import Cosine as Cosine
    from duretrieval.training.nets.score.cosine import InnerProduct as InnerProduct
    from duretrieval.training.nets.score.euclidean import Euclidean as Euclidean
    from duretrieval.training.nets.score.neural_tensor import NeuralTensor as NeuralTensor
    from duretrieval.training.nets.score.pair_scorer import PairScorer as PairScorer
    from duretrieval.training.nets.score.weighted_cosine import WeightedCosine as WeightedCosine
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "cosine": "Cosine InnerProduct",
            "euclidean": "Euclidean",
            "neural_tensor": "NeuralTensor",
            "pair_scorer": "PairScorer",
            "weighted_cosine": "WeightedCosine",
        },
    )
